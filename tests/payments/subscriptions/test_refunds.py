"""What was paid for a plan goes back: by staff, once, to where it came from or into the wallet."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask

from marketplace.core.database.db import db
from tests.factories import money
from tests.factories.people import Person, sign_up
from tests.payments.subscriptions.conftest import MINE, begun, mine, told
from tests.races.burst import burst

pytestmark = pytest.mark.usefixtures("plans_of_these_tests")
Settle = Callable[[], None]
CARD_IS_CLOSED = "pm_card_refundFail"


def invoice(admin: Person, person: Person) -> dict[str, Any]:
    """The latest of somebody's, as staff see it."""
    return dict(admin.get(f"/api/admin/invoices?user_id={person.id}").json["invoices"][0])


def refund(admin: Person, person: Person, **body: Any) -> Any:
    """The answer to giving the latest one back."""
    return admin.post(f"/api/admin/invoices/{invoice(admin, person)['id']}/refund", body, **money.key())


def amounts(admin: Person, person: Person) -> tuple[int, list[tuple[int, str]]]:
    """What went back of the latest, and each refund with its state."""
    found = invoice(admin, person)
    return found["refunded_minor"], [(one["price_minor"], one["status"]) for one in found["refunds"]]


def test_a_part_goes_back_and_then_the_rest_and_no_more(admin: Person, anna: Person, settle: Settle) -> None:
    begun(anna)
    part = refund(admin, anna, amount=9.99, reason="Three days without service.")
    assert part.status_code == 200, part.json
    assert part.json["invoice"]["refunds"][0]["reason"] == "Three days without service."
    too_much = refund(admin, anna, amount=40.01)
    assert (too_much.status_code, too_much.json["errors"]) == (
        422,
        {"amount": ["At most 40.00 EUR of this invoice can go back."]},
    )
    assert refund(admin, anna).status_code == 200
    settle()

    assert amounts(admin, anna) == (4999, [(999, "done"), (4000, "done")])
    assert refund(admin, anna).status_code == 422
    assert mine(anna)["status"] == "active"
    assert told(anna) == ["plan_started", "plan_refund_begun", "plan_refund_begun"]


def test_its_payer_has_a_credit_note(admin: Person, anna: Person, juris: Person, settle: Settle) -> None:
    begun(anna)
    refund(admin, anna, amount=10)
    settle()

    receipt = anna.get(f"{MINE}/receipts").json["receipts"][0]
    number = receipt["refunds"][0]["number"]
    assert (receipt["refunded_minor"], number[0]) == (1000, "C")
    page = anna.get(f"{MINE}/receipts/{number}?format=html").text
    for words in (number, receipt["number"], "10.00 EUR", "Client hunter", "Refunded to"):
        assert words in page, words
    assert anna.get(f"{MINE}/receipts/{number}").data.startswith(b"%PDF")
    assert [person.get(f"{MINE}/receipts/{number}").status_code for person in (juris, admin)] == [404, 404]


@pytest.mark.parametrize("body", [{"amount": 0}, {"amount": -1}, {"amount": 1e9}, {"amount": 0.001}, {"amount": None}])
def test_an_amount_that_makes_no_sense_is_refused(admin: Person, anna: Person, body: dict[str, Any]) -> None:
    begun(anna)
    assert refund(admin, anna, **body).status_code == 422
    assert amounts(admin, anna) == (0, [])


def test_only_staff_may_and_nobody_for_themselves(app: Flask, admin: Person, anna: Person, juris: Person) -> None:
    begun(anna)
    begun(admin)
    path = f"/api/admin/invoices/{invoice(admin, anna)['id']}"
    assert [person.get(path).status_code for person in (juris, anna)] == [403, 403]
    assert anna.post(f"{path}/refund", {}, **money.key()).status_code == 403
    assert refund(admin, admin).status_code == 403
    assert admin.post(f"{path}/refund", {}).json["code"] == "no_idempotency_key"
    assert admin.post("/api/admin/invoices/999999/refund", {}, **money.key()).status_code == 404


def test_many_at_once_give_it_back_once(app: Flask, admin: Person, anna: Person, settle: Settle) -> None:
    begun(anna)
    found = invoice(admin, anna)["id"]
    staff = [admin, sign_up(app, "second", role="admin")]
    calls = [partial(one.post, f"/api/admin/invoices/{found}/refund", {}, **money.key()) for one in staff * 4]
    statuses = sorted(answer.status_code for answer in burst(calls))
    settle()

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 422}
    assert amounts(admin, anna) == (4999, [(4999, "done")])


def test_the_plan_ends_with_it_where_that_is_wanted(admin: Person, anna: Person, settle: Settle) -> None:
    begun(anna)
    assert refund(admin, anna, end_plan=True).status_code == 200
    settle()
    assert mine(anna) is None


@pytest.mark.parametrize(("fault", "state"), [("down", "pending"), ("answer lost", "done")])
def test_a_provider_that_does_not_answer_is_asked_again_or_tells(
    app: Flask, admin: Person, anna: Person, fake: Any, fault: str, state: str
) -> None:
    begun(anna)
    fake.faults.append(("refund_invoice", fault))
    refund(admin, anna)
    money.work(app)
    assert amounts(admin, anna) == (4999, [(4999, state)])
    money.later(app)
    assert amounts(admin, anna) == (4999, [(4999, "done")])


def test_what_the_card_does_not_take_is_in_the_wallet(admin: Person, anna: Person, settle: Settle) -> None:
    begun(anna, method=CARD_IS_CLOSED)
    refund(admin, anna, amount=20)
    settle()

    assert amounts(admin, anna) == (2000, [(2000, "failed")])
    assert money.balances(anna) == {"EUR": (2000, 0, 0)}
    assert told(anna)[-1] == "plan_refund_failed"
    (line,) = anna.get("/api/wallet/transactions").json["transactions"]
    assert line["explanation"] == "What could not go back to your card for “Client hunter”"


def test_what_the_bank_returns_later_is_in_the_wallet(
    app: Flask, admin: Person, anna: Person, fake: Any, settle: Settle
) -> None:
    begun(anna)
    refund(admin, anna, amount=20)
    settle()
    with app.app_context():
        fake.return_refund(fake.refunds_of(invoice(admin, anna)["provider_id"])[0].id)
        db.session.remove()
    settle()

    assert amounts(admin, anna) == (2000, [(2000, "failed")])
    assert money.balances(anna) == {"EUR": (2000, 0, 0)}


def test_a_page_of_invoices_costs_no_statement_a_row(
    admin: Person, anna: Person, juris: Person, statements: list[str]
) -> None:
    begun(anna)
    refund(admin, anna, amount=5)
    counted = []
    for also in (juris, None):
        statements.clear()
        admin.get("/api/admin/invoices")
        counted.append(len(statements))
        if also:
            begun(also)
            refund(admin, also, amount=5)
    assert counted[0] == counted[1]
