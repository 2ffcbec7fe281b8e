"""The embedded worker: told of a fact it works at once, and what it could not do it does later."""

import pytest
from flask import Flask

from marketplace.core.database import counters
from marketplace.core.queues.background import Background
from marketplace.core.queues.outbox import OUTBOX, relay
from tests.factories import things
from tests.factories.people import Person
from tests.servers.waiting import until


def test_facts_and_counters_are_worked_off_while_people_go_on(app: Flask, anna: Person, anybody: Person) -> None:
    listing_id = things.listing(anna)["id"]
    anybody.get(f"/api/listings/{listing_id}")
    worker = Background(app, relay, [(0.05, counters.flush)], sweeping=True)
    worker.start()
    try:
        with app.app_context():
            until("no fact to wait", lambda: OUTBOX.count("waiting") == 0)
        until("the views to be written", lambda: counters.pending("listings", "views_count", listing_id) == 0)
    finally:
        worker.stop()
    assert anybody.get("/api/listings").json["listings"][0]["views_count"] == 1


def test_work_that_fails_does_not_end_the_worker(app: Flask) -> None:
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise RuntimeError("once more")

    worker = Background(app, relay, [(0, fail)], sweeping=True)
    worker.start()
    until("it to be called again", lambda: len(calls) >= 2)
    worker.stop()
    assert not worker.is_alive()


def test_counters_that_cannot_be_written_are_kept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    counters.count("listings", "views_count", 1)

    def broken(*_: object) -> None:
        raise RuntimeError("no database")

    monkeypatch.setattr(counters, "in_transaction", broken)
    with app.app_context(), pytest.raises(RuntimeError):
        counters.flush()
    assert counters.pending("listings", "views_count", 1) == 1
