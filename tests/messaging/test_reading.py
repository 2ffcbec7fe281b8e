"""What is new to whom: counts, cursors, and who is told that what they wrote was read."""

from functools import partial

import pytest
from flask import Flask

from marketplace.core.database.db import db, in_transaction
from marketplace.messaging import service
from tests.factories.people import Person, sign_up
from tests.factories.talks import TALKS, as_user, fill, pair, room, said, say, shown, unread
from tests.races.burst import burst


def read_all(person: Person, talk: int) -> int:
    """Everything there is read; how many were new."""
    answer = person.put(f"{TALKS}/{talk}/read-all")
    assert answer.status_code == 200, answer.json
    return int(answer.json["messages_marked_read"])


def read_one(person: Person, message_id: int) -> int:
    """One is read, and what stands before it."""
    return person.put(f"/api/messages/messages/{message_id}/read").status_code


def deliver(person: Person, talk: int, seq: int) -> int:
    """Everything up to a number has come to a device."""
    with person.app.app_context():
        count = in_transaction(lambda: service.deliver_to(as_user(person), talk, seq))
        db.session.remove()
    return count


def cursor(person: Person, talk: int, who: Person) -> tuple[int, int]:
    """How far somebody is: read, delivered."""
    (found,) = [one for one in person.get(f"{TALKS}/{talk}/members").json["members"] if one["id"] == who.id]
    return found["read_seq"], found["delivered_seq"]


def test_only_what_others_wrote_and_left_standing_is_new(anna: Person, juris: Person, stranger: Person) -> None:
    talk, other, common = pair(anna, juris), pair(juris, stranger), room(anna, juris)
    assert (unread(anna), unread(juris), unread(stranger)) == (0, 2, 1)
    for _ in range(3):
        say(anna, common)
    gone = say(anna, talk)["id"]
    say(juris, talk)
    assert [shown(juris, one)["unread_count"] for one in (talk, other, common)] == [3, 0, 3]
    anna.delete(f"/api/messages/messages/{gone}")
    assert [shown(juris, one)["unread_count"] for one in (talk, other, common)] == [2, 0, 3]
    assert (unread(anna), unread(juris), unread(stranger)) == (1, 5, 1)
    listed = {one["id"]: one["unread_count"] for one in juris.get(TALKS).json["conversations"]}
    assert listed == {talk: 2, other: 0, common: 3}
    assert (read_all(juris, common), unread(juris), unread(anna)) == (3, 2, 1)


def test_reading_one_reads_what_stands_before_it(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    ids = fill(anna, talk, "12345")
    assert (read_one(juris, ids[2]), unread(juris)) == (200, 2)
    assert [one["is_read"] for one in said(anna, talk)] == [True, True, True, False, False]
    assert (read_one(juris, ids[0]), unread(juris)) == (200, 2)
    assert (read_one(anna, ids[0]), unread(juris)) == (403, 2)
    assert cursor(anna, talk, juris) == (3, 3)
    assert [read_all(juris, talk) for _ in range(2)] == [2, 0]
    first = said(anna, talk)[0]
    assert (first["read_at"] is not None, first["read_at"] >= first["delivered_at"]) == (True, True)


def test_nobody_reads_what_is_not_theirs(anna: Person, juris: Person, stranger: Person) -> None:
    talk = pair(anna, juris)
    (message,) = said(anna, talk)
    assert (read_one(stranger, message["id"]), read_one(stranger, 999_999)) == (404, 404)
    assert stranger.put(f"{TALKS}/{talk}/read-all").status_code == 404
    assert not said(anna, talk)[0]["is_read"]


def test_what_came_to_a_device_is_delivered_and_not_read(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    say(anna, talk)
    assert (deliver(juris, talk, 1), deliver(juris, talk, 1), deliver(juris, talk, 99)) == (1, 0, 1)
    assert (cursor(anna, talk, juris), unread(juris)) == ((0, 2), 2)
    assert [(one["is_read"], one["delivered_at"] is not None) for one in said(anna, talk)] == [(False, True)] * 2
    delivered = [one["delivered_at"] for one in said(anna, talk)]
    read_all(juris, talk)
    assert [one["delivered_at"] for one in said(anna, talk)] == delivered
    assert deliver(anna, talk, 99) == 0  # one's own


def test_reading_is_delivered_too(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    read_all(juris, talk)
    (message,) = said(anna, talk)
    assert message["delivered_at"] is not None


def test_reading_further_than_anything_was_said_reads_what_was(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    with anna.app.app_context():
        assert in_transaction(lambda: service.read_to(as_user(juris), talk, 10**9)) == 1
        db.session.remove()
    say(anna, talk)
    assert (unread(juris), cursor(anna, talk, juris)) == (1, (1, 1))


@pytest.mark.parametrize("times", [3])
def test_of_many_who_read_at_once_nobody_is_lost(app: Flask, anna: Person, times: int) -> None:
    others = [sign_up(app, f"reader_{number}") for number in range(10)]
    talk = room(anna, *others)
    for _ in range(times):
        fill(anna, talk, "12345")
        answers = burst([partial(one.put, f"{TALKS}/{talk}/read-all") for one in others for _ in range(3)])
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json["messages_marked_read"] for answer in answers) == 5 * len(others)
        assert {shown(one, talk)["unread_count"] for one in others} == {0}
        assert all(one["is_read"] and one["delivered_at"] for one in said(anna, talk))


def test_reading_while_others_write_counts_each_message_once(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris, message="")
    writing = [partial(anna.post, f"{TALKS}/{talk}/messages", json={"content": "x"})] * 12
    answers = burst([*writing, *[partial(juris.put, f"{TALKS}/{talk}/read-all")] * 12])
    assert {answer.status_code for answer in answers} == {200, 201}
    new = sum(answer.json["messages_marked_read"] for answer in answers[12:])
    assert new + unread(juris) == 12
    assert new + read_all(juris, talk) == 12
    assert all(one["is_read"] for one in said(anna, talk))
