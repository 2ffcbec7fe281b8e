"""Who is not there hears of a message; who is there, when it has waited for a minute."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.core.database.db import db
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.core.realtime import connections
from tests.factories.people import Person
from tests.factories.talks import TALKS, pair, room, say

Work = Callable[..., None]


@pytest.fixture
def talk(anna: Person, juris: Person) -> int:
    """A conversation of two with nothing said."""
    return pair(anna, juris, message="")


@pytest.fixture
def tell(app: Flask) -> Work:
    """Everything that is due then, twice: at least once, for real."""

    def told(**delay: float) -> None:
        with time_machine.travel(datetime.now(UTC) + timedelta(**delay)), app.app_context():
            for _ in range(2):
                relay()
                jobs.run_due()
            db.session.remove()

    return told


@contextmanager
def connected(person: Person) -> Iterator[None]:
    """A socket of theirs is open."""
    with person.app.app_context():
        connections.sockets().presence.arrive(person.id, "a-socket")
    yield
    with person.app.app_context():
        connections.sockets().presence.leave(person.id, "a-socket")


def news(person: Person) -> list[Any]:
    """What they were told of messages, the latest first."""
    told = person.get("/api/notifications").json["notifications"]
    return [one for one in told if one["type"] == "new_message"]


def counts(person: Person) -> list[int]:
    """How many messages each piece of news is about."""
    return [one["data"]["count"] for one in news(person)]


def test_who_is_not_there_hears_at_once_and_once_a_conversation(
    anna: Person, juris: Person, talk: int, tell: Work
) -> None:
    for _ in range(3):
        say(anna, talk)
    tell()
    assert (counts(juris), news(anna)) == ([3], [])
    assert (news(juris)[0]["related_id"], news(juris)[0]["data"]["sender_name"]) == (talk, "anna")


def test_who_is_there_hears_after_a_minute_of_what_is_unread(
    anna: Person, juris: Person, talk: int, tell: Work
) -> None:
    with connected(juris):
        for _ in range(3):
            say(anna, talk)
        tell()
        assert news(juris) == []
        tell(seconds=50)
        assert news(juris) == []
        tell(seconds=61)
        assert counts(juris) == [3]


def test_what_was_read_within_the_minute_is_no_news(anna: Person, juris: Person, talk: int, tell: Work) -> None:
    with connected(juris):
        say(anna, talk)
        tell()
        juris.put(f"{TALKS}/{talk}/read-all")
        say(anna, talk)
        tell()
        tell(seconds=61)
    assert counts(juris) == [1]


def test_what_was_taken_back_within_the_minute_is_no_news(anna: Person, juris: Person, talk: int, tell: Work) -> None:
    with connected(juris):
        message = say(anna, talk)
        tell()
        anna.delete(f"/api/messages/messages/{message['id']}")
        tell(seconds=61)
    assert news(juris) == []


def test_in_a_room_each_hears_in_their_time(anna: Person, juris: Person, stranger: Person, tell: Work) -> None:
    talk = room(anna, juris, stranger)
    for person in (juris, stranger):
        person.put(f"{TALKS}/{pair(anna, person)}/read-all")
    tell()
    with connected(juris):
        say(anna, talk)
        tell()
        assert (len(news(juris)), counts(stranger)) == (0, [1])
        anna.delete(f"{TALKS}/{talk}/members/{juris.id}")
        tell(seconds=61)
    assert (news(juris), news(anna)) == ([], [])


def test_news_hold_no_words(anna: Person, juris: Person, talk: int, tell: Work) -> None:
    say(anna, talk, "Canary")
    tell()
    assert "Canary" not in juris.get("/api/notifications").text
