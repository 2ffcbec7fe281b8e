"""Payments as the newer client reads them."""

from tests.contract.client import Browser, has
from tests.contract.newer_tables import TRANSACTION
from tests.factories import money, things


def test_payments_are_transactions_too(anna: Browser, juris: Browser) -> None:
    paid = money.paid_task(anna.in_process, juris.in_process, budget=40)["paid"]["id"]
    unpaid = things.assigned_task(anna.in_process, juris.in_process)["id"]
    anna.in_process.post("/api/payments", {"task_id": unpaid}, **money.key())

    found = juris.get("/api/payments/transactions").json
    assert [one["id"] for one in found["payments"]] == [one["id"] for one in found["transactions"]]
    assert found["total"] == 2
    assert all(has(one, TRANSACTION) for one in found["transactions"])
    assert [one["status"] for one in found["transactions"]] == ["pending", "held"]
    back = juris.in_process.post(f"/api/payments/{paid}/refund", {"amount": 10}, **money.key())
    assert back.status_code == 200
    one = juris.get(f"/api/payments/transactions/{paid}").json
    assert has(one, TRANSACTION)
    assert (one["status"], one["platform_fee"], one["worker_amount"]) == ("partially_refunded", 4.0, 36.0)
    assert one["held_at"] is not None
