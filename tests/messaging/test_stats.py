"""Figures of one's own conversations."""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from marketplace.core.database.db import db
from marketplace.core.queues.outbox import relay
from tests.factories.people import Person
from tests.factories.talks import TALKS, fill, pair, room, say

STATS = "/api/messages/stats"
EMPTY = {"conversations": 0, "archived": 0, "unread": 0, "sent": 0, "received": 0, "sent_by_day": []}


def test_who_has_said_nothing_has_figures_too(anna: Person, juris: Person, stranger: Person) -> None:
    pair(juris, stranger)
    assert anna.get(STATS).json == {**EMPTY, "answers_within_seconds": None}


def test_what_one_wrote_and_got_is_counted(anna: Person, juris: Person, stranger: Person) -> None:
    talk, common = pair(anna, juris), room(anna, juris, stranger)
    for _ in range(3):
        say(juris, common)
    say(juris, talk)
    anna.post(f"{TALKS}/{talk}/archive")
    anna.put(f"{TALKS}/{common}/read-all")
    figures = anna.get(STATS).json
    assert {name: figures[name] for name in EMPTY if name != "sent_by_day"} == {
        "conversations": 3,
        "archived": 1,
        "unread": 1,
        "sent": 3,
        "received": 4,
    }
    assert [one["count"] for one in figures["sent_by_day"]] == [3]
    assert juris.get(STATS).json["archived"] == 0
    assert (stranger.get(STATS).json["received"], stranger.get(STATS).json["unread"]) == (4, 4)


def test_the_last_thirty_days_are_counted_by_day(app: Flask, anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    start = datetime.now(UTC) + timedelta(minutes=5)
    for days, count in ((31, 5), (29, 2), (1, 1), (0, 3)):
        with time_machine.travel(start - timedelta(days=days), tick=False):
            fill(anna, talk, ["x"] * count)  # a token of today is not valid yet
    with app.app_context():
        relay()  # they have waited for days
        db.session.remove()
    with time_machine.travel(start, tick=False):
        figures = anna.get(STATS).json
    days_and_counts = [(one["date"], one["count"]) for one in figures["sent_by_day"]]
    assert days_and_counts == [
        ((start - timedelta(days=d)).date().isoformat(), n) for d, n in ((29, 2), (1, 1), (0, 3))
    ]
    assert figures["sent"] == 11


def test_how_fast_one_answers_is_the_usual_pause(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    start = datetime.now(UTC)
    script = [(0, juris), (10, juris), (60, anna), (70, anna), (100, juris), (110, anna), (200, juris), (500, anna)]
    for second, who in script:
        with time_machine.travel(start + timedelta(seconds=second), tick=False):
            say(who, talk)
    assert anna.get(STATS).json["answers_within_seconds"] == 60  # of 60, 10 and 300
    assert juris.get(STATS).json["answers_within_seconds"] == 65  # of 40 and 90
