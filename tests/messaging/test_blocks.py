"""Who wants to hear no more of somebody hears no more, in either direction."""

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.messaging import queries
from marketplace.messaging.models import Block
from tests.factories import things
from tests.factories.people import Person
from tests.factories.talks import TALKS, pair, room, said, say, shown
from tests.races.burst import burst

BLOCKS = "/api/blocks"


def block(person: Person, other: Person) -> int:
    """One hears no more of the other."""
    return person.post(BLOCKS, json={"user_id": other.id}).status_code


@pytest.fixture(params=["whoever blocked", "who is blocked"])
def pair_of(request: pytest.FixtureRequest, anna: Person, juris: Person) -> tuple[Person, Person, int]:
    """Two with an earlier conversation, blocked since; the first of them tries."""
    talk = pair(anna, juris)
    assert block(anna, juris) == 200
    return (anna, juris, talk) if request.param == "whoever blocked" else (juris, anna, talk)


def test_nothing_is_sent_either_way(pair_of: tuple[Person, Person, int]) -> None:
    me, other, talk = pair_of
    sent = me.post(f"{TALKS}/{talk}/messages", json={"content": "Hello?"})
    assert (sent.status_code, sent.json["code"]) == (403, "blocked")
    again = me.post(TALKS, json={"user_id": other.id, "message": "Hello?"})
    assert (again.status_code, again.json["code"]) == (403, "blocked")
    assert [one["content"] for one in said(other, talk)] == ["Good day."]
    assert shown(other, talk)["last_seq"] == 1


def test_nothing_is_opened_either_way(pair_of: tuple[Person, Person, int]) -> None:
    me, other, _ = pair_of
    offering = things.offering(other)["id"]
    for body in ({}, {"message": "Hello?"}):
        answer = me.post(TALKS, json={"user_id": other.id, "offering_id": offering, **body})
        assert (answer.status_code, answer.json["code"]) == (403, "blocked")
    answer = me.post(f"/api/offerings/{offering}/contact", json={"message": "Hello?"})
    assert (answer.status_code, answer.json["code"]) == (403, "blocked")
    assert me.get(TALKS).json["total"] == other.get(TALKS).json["total"] == 1


def test_nobody_brings_the_other_into_a_room(pair_of: tuple[Person, Person, int], stranger: Person) -> None:
    me, other, _ = pair_of
    pair(me, stranger)
    made = me.post("/api/messages/rooms", json={"title": "Us", "member_ids": [other.id, stranger.id]})
    assert (made.status_code, made.json["code"]) == (403, "blocked")
    mine = room(me, stranger)
    added = me.post(f"{TALKS}/{mine}/members", json={"user_id": other.id})
    assert (added.status_code, added.json["code"]) == (403, "blocked")


def test_no_word_is_changed_and_no_emoji_put(pair_of: tuple[Person, Person, int], anna: Person) -> None:
    me, other, talk = pair_of
    (message,) = said(me, talk)
    path = f"/api/messages/messages/{message['id']}"
    assert me.post(f"{path}/reactions/😀").json["code"] == "blocked"
    if me is anna:
        assert me.put(path, json={"content": "Buy now"}).json["code"] == "blocked"
        assert me.delete(path).status_code == 200  # taking words back is always one's right
    assert [one["content"] for one in said(other, talk)] == (["Good day."] if me is not anna else [""])


def test_who_is_blocked_is_not_told_who_it_was(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    block(anna, juris)
    said_to = {
        who.user["username"]: who.post(f"{TALKS}/{talk}/messages", json={"content": "x"}).json["error"]
        for who in (anna, juris)
    }
    assert said_to == {
        "anna": "You have blocked this person. End that before you write.",
        "juris": "You cannot write to this person.",
    }
    assert juris.get(BLOCKS).json == {"blocks": [], "total": 0}


def test_what_was_said_stays_and_unblocking_opens_it_again(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    block(anna, juris)
    assert anna.delete(f"{BLOCKS}/{juris.id}").status_code == 200
    assert anna.delete(f"{BLOCKS}/{juris.id}").status_code == 404
    assert anna.get(BLOCKS).json["total"] == 0
    for who in (anna, juris):
        say(who, talk)
    assert len(said(juris, talk)) == 3


def test_both_may_block_and_each_ends_only_their_own(anna: Person, juris: Person) -> None:
    talk = pair(anna, juris)
    block(anna, juris)
    block(juris, anna)
    assert juris.delete(f"{BLOCKS}/{juris.id}").status_code == 404
    anna.delete(f"{BLOCKS}/{juris.id}")
    assert anna.post(f"{TALKS}/{talk}/messages", json={"content": "x"}).status_code == 403
    juris.delete(f"{BLOCKS}/{anna.id}")
    assert anna.post(f"{TALKS}/{talk}/messages", json={"content": "x"}).status_code == 201


def test_others_talk_on(anna: Person, juris: Person, stranger: Person) -> None:
    talk, common = pair(juris, stranger), room(stranger, anna, juris)
    block(anna, juris)
    say(juris, talk)
    say(stranger, talk)
    say(juris, common)
    say(anna, common)


def test_the_list_names_whom_one_has_blocked_once(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    answers = burst([partial(block, anna, juris)] * 6)  # type: ignore[list-item]
    assert set(map(str, answers)) == {"200"}
    assert block(anna, stranger) == 200
    listed = anna.get(BLOCKS).json
    assert [(one["user_id"], one["username"]) for one in listed["blocks"]] == [
        *((stranger.id, "stranger"), (juris.id, "juris"))
    ]
    assert (listed["total"], listed["blocks"][0]["created_at"][-1]) == (2, "Z")
    with app.app_context():
        assert len(fetch(select(Block.id))) == 2
        db.session.remove()


def test_who_is_blocked_is_no_contact(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    pair(anna, juris)
    pair(anna, stranger)
    block(juris, anna)
    with app.app_context():
        assert queries.contacts(anna.id) == [stranger.id]
        assert queries.contacts(juris.id) == []
        db.session.remove()


@pytest.mark.parametrize("user_id", [None, "x", -1, 0, 1.5, 2**63, [1], True])
def test_a_bad_id_is_refused(anna: Person, user_id: object) -> None:
    assert anna.post(BLOCKS, json={"user_id": user_id}).status_code in {400, 422}
    assert anna.post(BLOCKS).json["errors"].keys() == {"user_id"}


def test_nobody_blocks_themselves_or_who_is_not_there(anna: Person) -> None:
    assert block(anna, anna) == 422
    assert anna.post(BLOCKS, json={"user_id": 999_999}).status_code == 404
    assert anna.delete(f"{BLOCKS}/999999").status_code == 404
    assert anna.get(BLOCKS).json["total"] == 0
