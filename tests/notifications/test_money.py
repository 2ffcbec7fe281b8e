"""Whoever pays and whoever is paid hear of their money once, though every fact is told twice."""

from typing import Any

from flask import Flask
from sqlalchemy import select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import OutboxRow, relay
from marketplace.payments.models import Payout
from marketplace.payments.providers.fake.provider import CAPTURE_DECLINES, CLOSED_BANK, REFUND_FAILS
from tests.factories import things
from tests.factories.money import fake, finished_task, key, onboard, paid_task, pay, payout, work
from tests.factories.people import Person

MONEY = ("payment_", "refund_", "payout_")


def news(app: Flask, person: Person) -> list[dict[str, Any]]:
    """What a person heard of money, oldest first, after every fact was delivered twice."""
    work(app)
    with app.app_context():
        in_transaction(lambda: execute(update(OutboxRow).values(done_at=None, due_at=OutboxRow.created_at)))
        relay()
        jobs.run_due()
        db.session.remove()
    told = reversed(person.get("/api/notifications?per_page=100").json["notifications"])
    return [one for one in told if one["type"].startswith(MONEY)]


def types(app: Flask, person: Person) -> list[str]:
    return [one["type"] for one in news(app, person)]


def test_both_sides_hear_that_it_is_held_and_that_it_is_paid(app: Flask, anna: Person, juris: Person) -> None:
    task = finished_task(anna, juris, budget=40)

    assert types(app, anna) == ["payment_secured", "payment_released"]
    held, received = news(app, juris)
    assert (held["type"], received["type"]) == ("payment_held", "payment_received")
    assert (held["related_type"], held["related_id"]) == ("payment", task["paid"]["id"])
    assert held["data"] == {"title": "Carry a sofa", "payer_name": "anna", "amount": "40.00 EUR"}
    assert received["title"] == "You were paid 36.00 EUR: “Carry a sofa”"


def test_a_payment_that_fails_is_told_to_both(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")
    pay(anna, task["id"], CAPTURE_DECLINES)

    assert types(app, anna) == ["payment_failed"]
    assert types(app, juris) == ["payment_missing"]


def test_whoever_was_let_go_does_not_wait_for_a_payment(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")
    pay(anna, task["id"], "pm_card_threeDSecure2Required")
    anna.post(f"/api/tasks/{task['id']}/cancel")

    assert types(app, anna) == types(app, juris) == []


def test_nobody_is_told_to_begin_what_was_called_off_before_they_heard(app: Flask, anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris)
    anna.post(f"/api/tasks/{task['id']}/cancel")

    assert types(app, juris) == []
    assert types(app, anna) == ["refund_begun"]


def test_each_refund_is_told_to_the_payer_alone(app: Flask, anna: Person, juris: Person) -> None:
    payment = paid_task(anna, juris, budget=40)["paid"]["id"]
    for _ in range(2):
        juris.post(f"/api/payments/{payment}/refund", {"amount": 10}, **key())

    told = news(app, anna)
    assert [one["type"] for one in told] == ["payment_secured", "refund_begun", "refund_begun"]
    assert told[1]["title"] == "10.00 EUR are on their way back to you"
    assert (told[1]["related_type"], told[1]["related_id"]) == ("payment", payment)
    assert types(app, juris) == ["payment_held"]


def test_a_refund_that_cannot_go_back_is_in_the_wallet(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow", budget=40)
    pay(anna, task["id"], REFUND_FAILS)
    work(app)
    anna.post(f"/api/tasks/{task['id']}/cancel")

    told = news(app, anna)
    assert [one["type"] for one in told] == ["payment_secured", "refund_begun", "refund_failed"]
    assert told[-1]["title"] == "40.00 EUR are in your wallet"


def test_a_payout_is_told_when_it_is_sent_and_when_it_comes_back(app: Flask, anna: Person, juris: Person) -> None:
    finished_task(anna, juris, budget=40)
    onboard(juris)
    sent = payout(juris, 36)
    work(app)
    send_back(app, sent["id"])

    told = news(app, juris)[2:]
    assert [one["type"] for one in told] == ["payout_paid", "payout_returned"]
    assert [(one["related_type"], one["related_id"], one["data"]) for one in told] == [
        ("payout", sent["id"], {"amount": "36.00 EUR"})
    ] * 2


def test_a_payout_to_a_closed_account_did_not_work(app: Flask, anna: Person, juris: Person) -> None:
    finished_task(anna, juris, budget=40)
    juris.put("/api/auth/profile", json={"country": CLOSED_BANK})
    onboard(juris, country="")
    payout(juris, 36)

    assert types(app, juris)[2:] == ["payout_failed"]


def test_a_payout_that_is_looked_at_first_is_told_with_its_amount(app: Flask, anna: Person, juris: Person) -> None:
    finished_task(anna, juris, budget=4000)
    onboard(juris)
    held = payout(juris, 3600)

    assert held["status"] == "on_hold"
    told = news(app, juris)[2:]
    assert [(one["type"], one["data"]) for one in told] == [("payout_held", {"amount": "3600.00 EUR"})]


def test_amounts_have_the_decimals_of_their_currency(app: Flask, anna: Person, juris: Person) -> None:
    paid_task(anna, juris, budget=4000, currency="JPY")

    assert news(app, juris)[0]["data"]["amount"] == "4000 JPY"


def send_back(app: Flask, payout_id: int) -> None:
    """Days later the bank does."""
    with app.app_context():
        name = fetch(select(Payout.provider_id).where(Payout.id == payout_id))[0].provider_id
        fake(app).return_payout(name)
        db.session.remove()
