"""A task's money: held, released, given back."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from marketplace.core import jobs
from marketplace.core.db import db
from marketplace.core.outbox import relay
from marketplace.payments import calling, inbox
from tests.factories import things
from tests.factories.people import Person

VISA = "pm_card_visa"


def key(name: str) -> dict[str, Any]:
    """A header."""
    return {"headers": {"Idempotency-Key": name}}


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Everything that is due, the provider's webhooks too."""

    def work() -> None:
        with app.app_context():
            while sum((relay(), calling.call_due(), inbox.read_due(), jobs.run_due())):
                pass
            db.session.remove()

    return work


def paid_task(owner: Person, worker: Person, **fields: Any) -> dict[str, Any]:
    task = things.assigned_task(owner, worker, payment="escrow", **fields)
    answer = owner.post("/api/payments", {"task_id": task["id"], "payment_method": VISA}, **key(f"pay {task['id']}"))
    assert answer.status_code == 201, answer.json
    return {**task, "paid": answer.json["payment"]}


def balances(person: Person) -> dict[str, Any]:
    found = person.get("/api/wallet").json["balances"]
    return {one["currency"]: (one["available_minor"], one["held_minor"], one["pending_minor"]) for one in found}


def test_the_whole_way_from_acceptance_to_the_bank(anna: Person, juris: Person, settle: Callable[[], None]) -> None:
    task = paid_task(anna, juris, budget=40)

    assert (task["paid"]["status"], task["paid"]["fee_minor"]) == ("held", 400)
    assert balances(juris) == {"EUR": (0, 4000, 0)}
    for person, verb in ((juris, "start"), (juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
    assert balances(juris) == {"EUR": (3600, 0, 0)}
    settle()
    juris.post("/api/payouts/onboarding", {"country": "LV"})
    answer = juris.post("/api/payouts", {"amount": 36, "currency": "EUR"}, **key("out"))
    assert answer.status_code == 201, answer.json
    settle()
    payout = juris.get("/api/payouts").json["payouts"][0]
    assert payout["status"] == "paid"
    assert balances(juris) == {"EUR": (0, 0, 0)}
    lines = juris.get("/api/wallet/transactions").json["transactions"]
    assert [(line["kind"], line["price_minor"], line["balance_minor"]) for line in lines] == [
        ("payout", -3600, 0),
        ("release", 3600, 3600),
    ]


def test_nobody_works_for_money_that_is_not_there(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")
    refused = juris.post(f"/api/tasks/{task['id']}/start")
    assert (refused.status_code, refused.json["code"]) == (409, "not_paid")
