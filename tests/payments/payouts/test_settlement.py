"""What a provider has not settled yet waits, with a date, and is never lost for that."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from marketplace.payments import jobs as money_jobs
from tests.factories.money import balances, clockwork, fake, finished_task, key, onboard, work
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
