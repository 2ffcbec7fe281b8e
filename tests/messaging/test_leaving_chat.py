"""What one takes along of one's conversations, and what is left when one leaves."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.messaging.models import Block, Message, MessageVersion, Reaction
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.factories.talks import TALKS, pair, room, said, say, shown, unread

Work = Callable[[], None]


@pytest.fixture
def leaver(shop: Flask) -> Person:
    """Somebody who will leave."""
    return sign_up(shop, "leaver")


@pytest.fixture
def friend(shop: Flask) -> Person:
    """Somebody they talk with."""
    return sign_up(shop, "friend")


@pytest.fixture
def talk(leaver: Person, friend: Person) -> int:
    """Words, edits, emoji and attachments of both, and a block."""
    talk = pair(leaver, friend, "Canary one")
    (first,) = said(leaver, talk)
    leaver.put(f"/api/messages/messages/{first['id']}", json={"content": "Canary two"})
    link = things.upload(leaver)["url"]
    say(leaver, talk, "", attachment_url=link, attachment_type="image", client_message_id="canary-c")
    answer = say(friend, talk, "Hello")
    friend.put(f"/api/messages/messages/{answer['id']}", json={"content": "Hello you"})
    leaver.post(f"/api/messages/messages/{answer['id']}/reactions/😀")
    friend.post(f"/api/messages/messages/{first['id']}/reactions/🎈")
    enemy = sign_up(leaver.app, "enemy")
    leaver.post("/api/blocks", json={"user_id": enemy.id})
    enemy.post("/api/blocks", json={"user_id": leaver.id})
    return talk


def leave(person: Person, work: Work) -> None:
    """Close the account and wait until everything is done."""
    assert person.call("DELETE", "/api/auth/account", json={"password": PASSWORD}).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        work()


def test_one_takes_along_what_is_ones_own(shop: Flask, work: Work, leaver: Person, talk: int) -> None:
    asked = leaver.post("/api/auth/export")
    work()
    address = leaver.get(f"/api/auth/export/{asked.json['id']}").json["result_url"]
    archive = zipfile.ZipFile(io.BytesIO(shop.test_client().get(address).data))

    def table(name: str) -> list[dict[str, Any]]:
        return list(json.loads(archive.read(f"{name}.json")))

    assert [row["content"] for row in table("messages")] == ["Canary two", ""]
    assert [row["content"] for row in table("message_versions")] == ["Canary one"]
    assert [row["emoji"] for row in table("reactions")] == ["😀"]
    assert [row["blocker_id"] for row in table("blocks")] == [leaver.id]
    assert [(row["conversation_id"], row["user_id"]) for row in table("memberships")] == [(talk, leaver.id)]
    assert "digest" not in table("messages")[0]
    assert not any("Hello" in str(archive.read(name)) for name in archive.namelist())


def test_what_one_said_goes_and_what_others_said_stays(
    shop: Flask, work: Work, leaver: Person, friend: Person, talk: int
) -> None:
    leave(leaver, work)
    seen = said(friend, talk)
    assert [(one["seq"], one["content"]) for one in seen] == [(1, ""), (2, ""), (3, "Hello you")]
    assert {(one["attachment_url"], one["client_message_id"]) for one in seen} == {(None, None)}
    assert (
        seen[0]["sender"]["username"] == shown(friend, talk)["other_participant"]["username"] == f"erased-{leaver.id}"
    )
    assert seen[2]["reactions"] == []
    with shop.app_context():
        assert [row.sender_id for row in fetch(select(MessageVersion.sender_id))] == [friend.id]
        assert [row.user_id for row in fetch(select(Reaction.user_id))] == [friend.id]
        assert fetch(select(Block.id)) == []
        assert fetch(select(Message.digest).where(Message.sender_id == leaver.id, Message.digest.is_not(None))) == []
        db.session.remove()
    found = friend.get("/api/messages/search", query_string={"q": "canary"}).json["messages"]
    assert found == []


def test_a_room_goes_on_without_who_has_left(shop: Flask, work: Work, leaver: Person, friend: Person) -> None:
    other = sign_up(shop, "other")
    talk = room(leaver, friend, other)
    leave(leaver, work)
    members = friend.get(f"{TALKS}/{talk}/members").json["members"]
    assert [(one["id"], one["role"]) for one in members] == [(friend.id, "owner"), (other.id, "member")]
    say(friend, talk)
    other.put(f"{TALKS}/{talk}/read-all")
    assert said(friend, talk)[-1]["is_read"]


def test_nobody_writes_to_who_has_left(shop: Flask, work: Work, leaver: Person, friend: Person, talk: int) -> None:
    leave(leaver, work)
    assert friend.post(TALKS, json={"user_id": leaver.id}).status_code == 404
    assert unread(friend) == 2  # there was something, and that it was there stays
