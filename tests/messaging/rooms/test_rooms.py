"""Rooms: who comes in, who goes, what a newcomer sees, who owns."""

from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.messaging import service
from marketplace.messaging.models import Membership
from tests.factories.people import Person, sign_up
from tests.factories.talks import TALKS, as_user, pair, room, said, say, shown, sync, unread
from tests.races.burst import burst

ROOMS = "/api/messages/rooms"


@pytest.fixture
def liga(app: Flask) -> Person:
    """A fourth person."""
    return sign_up(app, "liga")


@pytest.fixture
def moving(anna: Person, juris: Person, liga: Person) -> int:
    """Anna's room with the two others."""
    return room(anna, juris, liga)


def members(person: Person, room_id: int) -> dict[int, str]:
    """Who is in it, in the order they came, with their role."""
    answer = person.get(f"{TALKS}/{room_id}/members").json
    assert answer["total"] == len(answer["members"])
    return {one["id"]: one["role"] for one in answer["members"]}


def let_in(owner: Person, room_id: int, person: Person) -> Any:
    """The owner brings somebody in."""
    return owner.post(f"{TALKS}/{room_id}/members", json={"user_id": person.id})


def put_out(by: Person, room_id: int, person: Person) -> Any:
    """Somebody sends somebody away, or leaves."""
    return by.delete(f"{TALKS}/{room_id}/members/{person.id}")


def test_a_room_has_a_title_an_owner_and_members(anna: Person, juris: Person, liga: Person) -> None:
    for other in (juris, liga):
        pair(anna, other)
    made = anna.post(ROOMS, json={"title": "Moving day", "member_ids": [juris.id, liga.id, juris.id, anna.id]})
    assert (made.status_code, made.json["existing"]) == (201, False)
    assert anna.get(made.headers["Location"]).json["conversation"]["id"] == made.json["id"]
    seen = shown(liga, made.json["id"])
    assert (seen["title"], seen["participant_1_id"], seen["other_participant"]) == ("Moving day", None, None)
    assert "since_seq" not in seen
    assert members(liga, made.json["id"]) == {anna.id: "owner", juris.id: "member", liga.id: "member"}
    again = anna.post(ROOMS, json={"title": "Moving day", "member_ids": [juris.id]})
    assert again.json["id"] != made.json["id"]


def test_nobody_is_pulled_into_a_room_by_a_stranger(
    anna: Person, juris: Person, liga: Person, stranger: Person
) -> None:
    pair(anna, juris)
    pair(anna, liga, message="")  # opened, and nothing was ever said
    pair(juris, stranger)  # the friend of a friend
    for one in (liga, stranger):
        for ids in ([one.id], [juris.id, one.id]):
            answer = anna.post(ROOMS, json={"title": "Win!", "member_ids": ids})
            assert (answer.status_code, answer.json["code"]) == (403, "not_acquainted")
    made = anna.post(ROOMS, json={"title": "Us", "member_ids": [juris.id]}).json["id"]
    assert (let_in(anna, made, stranger).status_code, len(members(anna, made))) == (403, 2)
    assert stranger.get(TALKS).json["total"] == 1
    assert juris.get(TALKS).json["total"] == 3


def test_a_room_needs_others_who_are_there(anna: Person) -> None:
    for body in ({"title": "x", "member_ids": []}, {"title": "x", "member_ids": [anna.id]}):
        answer = anna.post(ROOMS, json=body)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["member_ids"])
    assert anna.post(ROOMS, json={"title": "x", "member_ids": [999_999]}).status_code == 404
    assert anna.get(TALKS).json["total"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 101},
        {"title": None},
        {"title": 5},
        {"title": "a\x00"},
        {"member_ids": "1"},
        {"member_ids": None},
        {"member_ids": ["x"]},
        {"member_ids": [1.5]},
        {"member_ids": [0]},
        {"member_ids": [2**63]},
        {"member_ids": list(range(1, 5000))},
    ],
    ids=str,
)
def test_a_bad_room_is_refused_by_the_name_of_its_field(anna: Person, juris: Person, wrong: dict[str, Any]) -> None:
    pair(anna, juris)
    answer = anna.post(ROOMS, json={"title": "Us", "member_ids": [juris.id], **wrong})
    if answer.status_code != 400:
        assert (answer.status_code, next(iter(answer.json["errors"])).split(".")[0]) == (422, next(iter(wrong)))
    assert anna.get(TALKS).json["total"] == 1


def test_a_newcomer_sees_nothing_from_before(anna: Person, juris: Person, stranger: Person) -> None:
    talk = room(anna, juris)
    pair(anna, stranger)
    before = [say(anna, talk, f"Canary {number}") for number in range(3)]
    assert let_in(anna, talk, stranger).status_code == 200

    seen = shown(stranger, talk)
    assert (seen["last_message"], seen["unread_count"], unread(stranger)) == (None, 0, 1)
    assert said(stranger, talk) == said(stranger, talk, after_seq=0) == said(stranger, talk, before_seq=99) == []
    assert stranger.get(f"{TALKS}/{talk}/messages").json["total"] == 0
    assert stranger.get("/api/messages/search", query_string={"q": "canary"}).json["messages"] == []
    assert "Canary" not in str(sync(stranger))
    assert "Canary" not in stranger.get(TALKS).text
    old = f"/api/messages/messages/{before[0]['id']}"
    assert stranger.put(f"{old}/read").status_code == 404
    assert stranger.put(old, json={"content": "x"}).status_code == 404
    assert stranger.delete(old).status_code == 404
    assert stranger.post(f"{old}/reactions/😀").status_code == 404
    body = {"content": "What was that?", "reply_to_id": before[0]["id"]}
    assert stranger.post(f"{TALKS}/{talk}/messages", json=body).status_code == 422

    say(juris, talk, "Welcome")
    say(stranger, talk, "Hello")
    assert [one["content"] for one in said(stranger, talk)] == ["Welcome", "Hello"]
    assert [one["content"] for one in said(juris, talk)] == ["Canary 0", "Canary 1", "Canary 2", "Welcome", "Hello"]
    assert (shown(stranger, talk)["unread_count"], shown(juris, talk)["unread_count"]) == (1, 4)
    anna.put(old, json={"content": "Canary again"})
    assert "Canary" not in str(sync(stranger, {}))


def test_who_comes_again_sees_only_what_is_new(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    say(juris, moving, "Before")
    put_out(anna, moving, juris)
    away = say(anna, moving, "While away")
    cursors = {moving: 1}
    assert "While away" not in str(sync(juris, cursors))
    assert let_in(anna, moving, juris).status_code == 200
    assert let_in(anna, moving, juris).status_code == 200  # and once more changes nothing
    say(liga, moving, "After")
    assert [one["content"] for one in said(juris, moving)] == ["After"]
    assert shown(juris, moving)["unread_count"] == 1
    assert juris.put(f"/api/messages/messages/{away['id']}/read").status_code == 404
    assert "While away" not in str(sync(juris, cursors))
    assert list(members(juris, moving)) == [anna.id, juris.id, liga.id]


def test_who_is_sent_away_is_a_stranger_everywhere(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    message = say(anna, moving, "Canary")
    own = say(juris, moving, "Mine")
    assert unread(juris) == 2
    assert put_out(anna, moving, juris).status_code == 200

    for path in ("", "/messages", "/members"):
        assert juris.get(f"{TALKS}/{moving}{path}").status_code == 404, path
    for path in ("archive", "unarchive", "mute", "unmute"):
        assert juris.post(f"{TALKS}/{moving}/{path}").status_code == 404, path
    assert juris.post(f"{TALKS}/{moving}/messages", json={"content": "x"}).status_code == 404
    assert juris.put(f"{TALKS}/{moving}/read-all").status_code == 404
    assert juris.put(f"{TALKS}/{moving}", json={"title": "x"}).status_code == 404
    assert let_in(juris, moving, juris).status_code == 404
    assert put_out(juris, moving, juris).status_code == 404
    for one in (message, own):
        path = f"/api/messages/messages/{one['id']}"
        assert juris.put(f"{path}/read").status_code == 404
        assert juris.put(path, json={"content": "x"}).status_code == 404
        assert juris.delete(path).status_code == 404
        assert juris.post(f"{path}/reactions/😀").status_code == 404
        assert juris.delete(f"{path}/reactions/😀").status_code == 404
    assert unread(juris) == 1  # what Anna wrote to him alone
    assert moving not in [one["id"] for one in juris.get(TALKS).json["conversations"]]
    assert juris.get("/api/messages/search", query_string={"q": "canary mine"}).json["messages"] == []
    assert moving not in [one["conversation_id"] for one in sync(juris)["conversations"]]
    assert juris.get("/api/messages/stats").json["received"] == 1
    assert [one["content"] for one in said(liga, moving)] == ["Canary", "Mine"]


def test_what_the_owner_leaves_the_oldest_member_owns(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    assert put_out(anna, moving, anna).status_code == 200
    assert members(liga, moving) == {juris.id: "owner", liga.id: "member"}
    assert put_out(juris, moving, liga).status_code == 200
    assert put_out(juris, moving, juris).status_code == 200
    for person in (anna, juris, liga):
        assert person.get(f"{TALKS}/{moving}").status_code == 404


def test_the_former_owner_comes_back_as_a_member(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    put_out(anna, moving, anna)
    assert let_in(juris, moving, anna).status_code == 200
    assert members(liga, moving) == {anna.id: "member", juris.id: "owner", liga.id: "member"}
    assert anna.put(f"{TALKS}/{moving}", json={"title": "Mine"}).status_code == 403


def test_only_the_owner_renames_and_moves_people(
    anna: Person, juris: Person, liga: Person, stranger: Person, moving: int
) -> None:
    pair(juris, stranger)
    assert juris.put(f"{TALKS}/{moving}", json={"title": "Mine"}).status_code == 403
    assert stranger.put(f"{TALKS}/{moving}", json={"title": "Mine"}).status_code == 404
    assert let_in(juris, moving, stranger).status_code == 403
    assert put_out(juris, moving, liga).status_code == 403
    assert let_in(stranger, moving, stranger).status_code == 404
    assert put_out(stranger, moving, liga).status_code == 404
    assert put_out(anna, moving, stranger).status_code == 404
    assert anna.put(f"{TALKS}/{moving}", json={"title": " "}).status_code == 422

    renamed = anna.put(f"{TALKS}/{moving}", json={"title": "Tuesday"})
    assert (renamed.status_code, renamed.json["conversation"]["title"]) == (200, "Tuesday")
    assert (shown(liga, moving)["title"], len(members(anna, moving))) == ("Tuesday", 3)


def test_a_conversation_of_two_is_no_room(anna: Person, juris: Person, stranger: Person) -> None:
    talk = pair(anna, juris)
    pair(anna, stranger)
    assert members(juris, talk) == dict.fromkeys(sorted((anna.id, juris.id)), "member")
    assert let_in(anna, talk, stranger).status_code == 403
    assert put_out(anna, talk, juris).status_code == 403
    assert put_out(anna, talk, anna).status_code == 409
    assert anna.put(f"{TALKS}/{talk}", json={"title": "Us"}).status_code == 403
    assert juris.get(f"{TALKS}/{talk}").status_code == 200


def test_a_room_holds_a_hundred(app: Flask, anna: Person) -> None:
    others = [sign_up(app, f"guest_{number}") for number in range(100)]
    for other in others:
        pair(anna, other)
    ids = [one.id for one in others]
    refused = anna.post(ROOMS, json={"title": "All", "member_ids": ids})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["member_ids"])
    full = anna.post(ROOMS, json={"title": "All", "member_ids": ids[:99]})
    assert (full.status_code, len(members(anna, full.json["id"]))) == (201, 100)
    assert let_in(anna, full.json["id"], others[99]).status_code == 409
    put_out(others[0], full.json["id"], others[0])
    answers = burst([partial(let_in, anna, full.json["id"], one) for one in (others[0], others[99])])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(members(anna, full.json["id"])) == 100


def test_everybody_leaves_at_once_and_nobody_owns_twice(app: Flask, anna: Person) -> None:
    others = [sign_up(app, f"guest_{number}") for number in range(8)]
    talk = room(anna, *others)
    leaving = [anna, *others[:6]]
    answers = burst([partial(put_out, one, talk, one) for one in leaving])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(members(others[7], talk).values()) == ["member", "owner"]


def test_brought_in_many_times_at_once_somebody_is_in_once(app: Flask, anna: Person, juris: Person) -> None:
    guest = sign_up(app, "guest")
    pair(anna, guest)
    talk = room(anna, juris)
    answers = burst([partial(let_in, anna, talk, guest)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    with app.app_context():
        assert len(fetch(select(Membership.id).where(Membership.conversation_id == talk))) == 3
        db.session.remove()


def test_a_message_of_a_room_is_read_when_everybody_has(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    say(anna, moving)
    assert _marks(anna, moving) == [(False, False)]
    _deliver(juris, moving)
    assert _marks(anna, moving) == [(False, False)]
    _deliver(liga, moving)
    assert _marks(anna, moving) == [(True, False)]
    juris.put(f"{TALKS}/{moving}/read-all")
    assert _marks(anna, moving) == [(True, False)]
    liga.put(f"{TALKS}/{moving}/read-all")
    assert _marks(anna, moving) == [(True, True)]
    assert (unread(juris), unread(liga)) == (1, 1)  # what Anna wrote to each alone


def test_who_has_left_is_not_waited_for(anna: Person, juris: Person, liga: Person, moving: int) -> None:
    say(anna, moving)
    put_out(liga, moving, liga)
    juris.put(f"{TALKS}/{moving}/read-all")
    assert _marks(anna, moving) == [(True, True)]


def _deliver(person: Person, talk: int) -> None:
    with person.app.app_context():
        in_transaction(lambda: service.deliver_to(as_user(person), talk, 99))
        db.session.remove()


def _marks(person: Person, talk: int) -> list[tuple[bool, bool]]:
    return [(one["delivered_at"] is not None, one["read_at"] is not None) for one in said(person, talk)]
