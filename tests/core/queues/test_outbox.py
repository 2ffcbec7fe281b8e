"""A fact is told at least once, whatever breaks, and its listeners do not mind hearing it twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues import outbox
from marketplace.core.queues.outbox import OutboxRow, publish, relay
from marketplace.events.base import Event
from tests.factories import things
from tests.factories.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class BellRang(Event):
    """Only here."""

    number: int


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """A listener that remembers."""
    numbers: list[int] = []

    def listen(event: BellRang) -> None:
        numbers.append(event.number)

    outbox.subscribers[BellRang] = [listen]
    yield numbers
    del outbox.subscribers[BellRang]


def test_a_committed_fact_is_told_and_a_rolled_back_one_is_not(context: Flask, heard: list[int]) -> None:
    def fails() -> None:
        publish(BellRang(number=1))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        in_transaction(fails)
    in_transaction(lambda: publish(BellRang(number=2)))
    relay()
    assert heard == [2]


def test_a_listener_that_fails_is_called_again_later(context: Flask, heard: list[int]) -> None:
    calls: list[int] = []

    def fail_at_first(event: BellRang) -> None:
        calls.append(event.number)
        if len(calls) <= 2:
            raise RuntimeError("not now")
        heard.append(event.number)

    outbox.subscribers[BellRang] = [fail_at_first]
    in_transaction(lambda: publish(BellRang(number=7)))
    relay()
    assert (heard, len(calls)) == ([], 2)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        relay()
    assert heard == [7]


def test_one_listener_that_fails_does_not_keep_the_news_from_the_others(context: Flask, heard: list[int]) -> None:
    def fail(event: BellRang) -> None:
        raise RuntimeError("never")

    outbox.subscribers[BellRang] = [fail, lambda event: heard.append(event.number)]
    in_transaction(lambda: publish(BellRang(number=8)))
    relay()
    assert heard[-1] == 8
    assert outbox.OUTBOX.count("failed") == 1


def test_a_fact_leased_by_a_process_that_died_is_told_after_its_lease(context: Flask, heard: list[int]) -> None:
    in_transaction(lambda: publish(BellRang(number=3)))
    outbox.OUTBOX.claim()  # and then the process is gone
    relay()
    assert heard == []

    with time_machine.travel(datetime.now(UTC) + outbox.LEASE + timedelta(seconds=1)):
        relay()
    assert heard == [3]


def test_after_many_failures_a_fact_waits_for_an_operator(context: Flask, heard: list[int]) -> None:
    def fail(event: BellRang) -> None:
        raise RuntimeError("never")

    outbox.subscribers[BellRang] = [fail]
    in_transaction(lambda: publish(BellRang(number=1)))
    in_transaction(lambda: execute(update(OutboxRow).values(attempts=outbox.MAX_ATTEMPTS - 1)))
    relay()

    row = fetch(select(OutboxRow.dead_at, OutboxRow.error))[0]
    assert row.dead_at is not None
    assert "never" in row.error


def test_a_deleted_listing_leaves_everybodys_favorites(app: Flask, anna: Person, juris: Person) -> None:
    listing_id = things.listing(anna)["id"]
    juris.post("/api/favorites", json={"item_type": "listing", "item_id": listing_id})
    anna.delete(f"/api/listings/{listing_id}")

    with app.app_context():
        relay()
        in_transaction(lambda: execute(update(OutboxRow).values(done_at=None, due_at=OutboxRow.created_at)))
        relay()  # at least once, for real
        db.session.remove()

    assert juris.get("/api/favorites/count").json["total"] == 0
