"""Conversations, rooms and what is said in them."""

from collections.abc import Iterable
from typing import Any

from marketplace.auth.models import User
from marketplace.core.database.db import db, in_transaction
from marketplace.core.realtime import connections
from marketplace.messaging import service
from marketplace.messaging import sync as messaging_sync
from marketplace.messaging.rooms import service as rooms_service
from tests.factories.people import Person

TALKS = "/api/messages/conversations"


def pair(one: Person, other: Person, message: str = "Good day.", **subject: int) -> int:
    """A conversation of two in which something was said."""
    body = {"user_id": other.id, "message": message, **subject} if message else {"user_id": other.id, **subject}
    answer = one.post(TALKS, json=body)
    assert answer.status_code in {200, 201}, answer.json
    return int(answer.json["id"])


def room(owner: Person, *others: Person, title: str = "Moving day") -> int:
    """A room of people who have talked with its owner."""
    for other in others:
        pair(owner, other)
    answer = owner.post("/api/messages/rooms", json={"title": title, "member_ids": [one.id for one in others]})
    assert answer.status_code == 201, answer.json
    return int(answer.json["id"])


def say(person: Person, talk_id: int, content: str = "Good day.", **fields: Any) -> dict[str, Any]:
    """A message, as the API answers it."""
    answer = person.post(f"{TALKS}/{talk_id}/messages", json={"content": content, **fields})
    assert answer.status_code in {200, 201}, answer.json
    return dict(answer.json["message"])


def said(person: Person, talk_id: int, **query: Any) -> list[dict[str, Any]]:
    """What somebody sees there, oldest first."""
    answer = person.get(f"{TALKS}/{talk_id}/messages", query_string=query)
    assert answer.status_code == 200, answer.json
    return list(answer.json["messages"])


def shown(person: Person, talk_id: int) -> dict[str, Any]:
    """The conversation as they see it."""
    answer = person.get(f"{TALKS}/{talk_id}")
    assert answer.status_code == 200, answer.json
    return dict(answer.json["conversation"])


def unread(person: Person) -> int:
    """What they have not read."""
    return int(person.get("/api/messages/unread-count").json["unread_count"])


def fill(person: Person, talk_id: int, contents: Iterable[str]) -> list[int]:
    """Many messages in one transaction; their ids."""

    def write() -> list[int]:
        user = as_user(person)
        return [service.send(user, talk_id, content=content)[0]["id"] for content in contents]

    with person.app.app_context():
        ids = in_transaction(write)
        db.session.remove()
    return ids


def many_rooms(owner: Person, other: Person, count: int) -> list[int]:
    """Rooms of these two, who have talked, each with one message."""

    def make() -> list[int]:
        user, ids = as_user(owner), []
        for number in range(count):
            ids.append(rooms_service.create(user, title=f"Room {number}", member_ids=[other.id]).id)
            service.send(user, ids[-1], content=f"First words of {number}.")
        return ids

    with owner.app.app_context():
        made = in_transaction(make)
        db.session.remove()
    return made


def sync(person: Person, cursors: dict[int, int] | None = None, most: int = 200) -> dict[str, Any]:
    """What the socket answers who has these cursors."""
    with person.app.app_context():
        answer = connections.plain(messaging_sync.sync(as_user(person), cursors or {}, most))
        db.session.remove()
    return dict(answer)


def as_user(person: Person) -> User:
    """Their row, for services."""
    user = db.session.get(User, person.id)
    assert user is not None
    return user
