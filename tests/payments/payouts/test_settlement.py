"""What a provider has not settled yet waits, with a date, and is never lost for that."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch, in_transaction, locked_row
from marketplace.payments import jobs as money_jobs
from marketplace.payments.lifecycle import SYSTEM
from marketplace.payments.models import Payment, Payout
from tests.factories.money import balances, clockwork, fake, finished_task, key, onboard, payout, work
from tests.factories.people import Person

AFTER = timedelta(minutes=5)  # as long as a sign-in lasts, a week for banks


@pytest.fixture
def slow(app: Flask) -> Iterator[Flask]:
    """A provider that settles after a while."""
    fake(app).settles_after = AFTER
    yield app
    fake(app).settles_after = timedelta(0)


def test_a_payout_of_what_is_not_settled_waits_until_it_is(slow: Flask, anna: Person, juris: Person) -> None:
    finished_task(anna, juris, budget=40)
    onboard(juris)
    wallet = juris.get("/api/wallet").json["balances"][0]
    assert (wallet["available_minor"], wallet["unsettled_minor"]) == (0, 3600)
    assert wallet["available_from"] is not None

    sent = juris.post("/api/payouts", {"amount": 20, "currency": "EUR"}, **key())
    assert (sent.status_code, sent.json["payout"]["available_from"]) == (201, wallet["available_from"])
    work(slow)
    assert juris.get("/api/payouts").json["payouts"][0]["status"] == "requested"
    after = juris.get("/api/wallet").json["balances"][0]
    assert (after["available_minor"], after["unsettled_minor"], after["pending_minor"]) == (0, 1600, 2000)
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(minutes=1)):
        work(slow)
        assert juris.get("/api/payouts").json["payouts"][0]["status"] == "paid"
        assert balances(juris) == {"EUR": (1600, 0, 0)}


def test_what_is_settled_leaves_at_once_whatever_waits(slow: Flask, anna: Person, juris: Person) -> None:
    finished_task(anna, juris, budget=40)
    onboard(juris)
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(minutes=1)):
        finished_task(anna, juris, budget=20)
        assert balances(juris) == {"EUR": (3600, 0, 0)}
        first = juris.post("/api/payouts", {"amount": 36, "currency": "EUR"}, **key()).json["payout"]
        second = juris.post("/api/payouts", {"amount": 18, "currency": "EUR"}, **key()).json["payout"]
        assert (first["available_from"], second["available_from"] is None) == (None, False)
        work(slow)
        stands = {one["id"]: one["status"] for one in juris.get("/api/payouts").json["payouts"]}
        assert stands == {first["id"]: "paid", second["id"]: "requested"}


def test_the_calendar_pays_out_what_is_settled(
    slow: Flask, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(slow.config, "PAYOUT_SCHEDULE", "daily")
    finished_task(anna, juris, budget=40)
    onboard(juris)
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(minutes=1)):
        finished_task(anna, juris, budget=20)
        clockwork(slow, money_jobs.pay_out_by_calendar)
        work(slow)
        assert [one["price_minor"] for one in juris.get("/api/payouts").json["payouts"]] == [3600]


def test_a_payout_that_comes_too_early_for_the_provider_is_asked_for_again(
    slow: Flask, anna: Person, juris: Person
) -> None:
    fake(slow).settles_after = timedelta(0)  # it says so, and then needs longer
    finished_task(anna, juris, budget=40)
    onboard(juris)
    fake(slow).settles_after = AFTER
    assert juris.post("/api/payouts", {"amount": 36, "currency": "EUR"}, **key()).status_code == 201
    work(slow)
    assert juris.get("/api/payouts").json["payouts"][0]["status"] == "sent"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        work(slow)
    assert juris.get("/api/payouts").json["payouts"][0]["status"] == "paid"


def waiting(slow: Flask, owner: Person, worker: Person) -> tuple[int, str]:
    """A payout of all that a payment brought, which waits; and the payment's name at the provider."""
    task = finished_task(owner, worker, budget=40)
    onboard(worker)
    made = int(payout(worker, 36)["id"])
    with slow.app_context():
        statement = select(Payment.provider_id).where(Payment.reference == f"task:{task['id']}")
        name = str(fetch(statement)[0].provider_id)
        db.session.remove()
    return made, name


def bank(slow: Flask, name: str, won: bool | None = None) -> str:
    """The payer's bank disputes this payment, or decides about this chargeback."""
    with slow.app_context():
        found = fake(slow).dispute(name) if won is None else fake(slow).decide(name, won=won) or name
        db.session.remove()
    work(slow)
    return found


def status_of(person: Person, made: int) -> str:
    """Of a payout."""
    return str(person.get(f"/api/payouts/{made}").json["status"])


@pytest.mark.parametrize("won", [True, False])
def test_while_a_bank_disputes_it_a_payout_waits_and_what_is_lost_is_not_sent(
    slow: Flask, anna: Person, juris: Person, won: bool
) -> None:
    finished_task(juris, anna, budget=40)  # what banks charge for a dispute is taken from our balance
    made, name = waiting(slow, anna, juris)
    disputed = bank(slow, name)
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(minutes=1)):
        work(slow)
        assert status_of(juris, made) == "requested"
        bank(slow, disputed, won=won)
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(hours=2)):
        work(slow)
    there = (("paid" if won else "cancelled"), {"EUR": (0, 0, 0)})
    assert (status_of(juris, made), balances(juris)) == there


@pytest.mark.parametrize("won", [True, False])
def test_staff_do_not_let_go_what_a_bank_disputes(
    slow: Flask, anna: Person, juris: Person, admin: Person, won: bool
) -> None:
    made, name = waiting(slow, anna, juris)
    with slow.app_context():
        in_transaction(lambda: locked_row(Payout, made).advance("hold", actor=SYSTEM))
        db.session.remove()
    disputed = bank(slow, name)
    path = f"/api/admin/payouts/{made}"
    refused = admin.post(f"{path}/approve", {}, **key())
    assert (refused.status_code, "cancel it, or wait" in refused.json["error"]) == (409, True)
    bank(slow, disputed, won=won)
    assert admin.post(f"{path}/approve", {}, **key()).status_code == (200 if won else 409)
    assert admin.post(f"{path}/cancel", {}, **key()).status_code == 200
    assert balances(juris)["EUR"][0] == 0


def test_of_somebody_suspended_meanwhile_it_is_held(slow: Flask, anna: Person, juris: Person, admin: Person) -> None:
    made, _ = waiting(slow, anna, juris)
    assert admin.post(f"/api/admin/users/{juris.id}/ban", {"reason": "fraud"}).status_code == 200
    with time_machine.travel(datetime.now(UTC) + AFTER + timedelta(minutes=1)):
        work(slow)
    found = admin.get("/api/admin/payouts?status=on_hold").json["payouts"]
    assert [(one["id"], one["reasons"][-1]) for one in found] == [(made, "the account is suspended")]
