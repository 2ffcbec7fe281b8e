"""Many people who talk at once, and the checker that compares what each has with what is stored."""

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.messaging.models import Membership, Message
from tests.crash.processes import HTTP, Chat
from tests.factories.people import PASSWORD
from tests.messaging.client import Client
from tests.servers.waiting import PATIENCE

CONVERSATIONS = "/api/messages/conversations"
SEEN = ("id", "seq", "rev", "sender_id", "content", "client_message_id")
History = dict[int, list[dict[str, Any]]]


@dataclass
class Talker:
    """A person with a token; `rooms` are the conversations they are in."""

    chat: Chat
    id: int
    token: str
    rooms: list[int] = field(default_factory=list)

    def ask(self, method: str, path: str, **how: Any) -> requests.Response:
        """Over REST."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return HTTP.request(method, self.chat.rest + path, headers=headers, timeout=PATIENCE, **how)

    def client(self, **how: Any) -> Client:
        """One more socket of theirs."""
        return Client(self.chat.sockets, self.token, **how).open()


def people(chat: Chat, number: int, prefix: str) -> list[Talker]:
    """Accounts of their own."""
    made = []
    for index in range(number):
        name = f"{prefix}_{index}"
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        answer = HTTP.post(f"{chat.rest}/api/auth/register", json=body, timeout=PATIENCE).json()
        made.append(Talker(chat, answer["user"]["id"], answer["token"]))
    return made


def acquaint(one: Talker, other: Talker, opening: str = "") -> int:
    """A conversation of two."""
    body = {"user_id": other.id, **({"message": opening} if opening else {})}
    talk = int(one.ask("POST", CONVERSATIONS, json=body).json()["conversation"]["id"])
    one.rooms.append(talk)
    other.rooms.append(talk)
    return talk


def gather(owner: Talker, *others: Talker) -> int:
    """A room of several who know its owner."""
    body = {"title": "All of us", "member_ids": [one.id for one in others]}
    room = int(owner.ask("POST", "/api/messages/rooms", json=body).json()["conversation"]["id"])
    for one in (owner, *others):
        one.rooms.append(room)
    return room


class Letters:
    """A person who writes and edits over REST, each again until it is answered."""

    def __init__(self, talker: Talker) -> None:
        self.talker = talker
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self._waiting: deque[tuple[str, int, str]] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def say(self, conversation_id: int, content: str) -> None:
        """Queue one."""
        self._waiting.append((f"rest-{content}", conversation_id, content))

    @property
    def unsent(self) -> int:
        """How many wait for their answer."""
        return len(self._waiting)

    def close(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while not self._over.wait(0.01):
            while self._waiting and not self._over.is_set():
                name, conversation_id, content = self._waiting[0]
                body = {"content": content, "client_message_id": name}
                stored = self._sure("POST", f"{CONVERSATIONS}/{conversation_id}/messages", body)
                if stored is not None and int(name[-1], 16) % 3 == 0:
                    body = {"content": f"{content}, edited"}
                    stored = self._sure("PUT", f"/api/messages/messages/{stored['id']}", body)
                if stored is not None:
                    self.acknowledged[name] = stored
                    self._waiting.popleft()

    def _sure(self, method: str, path: str, body: dict[str, str]) -> dict[str, Any] | None:
        while not self._over.wait(0.01):
            try:
                answer = self.talker.ask(method, path, json=body)
            except (requests.RequestException, OSError):
                continue
            if answer.status_code < 500:
                assert answer.status_code in {200, 201}, answer.text
                return dict(answer.json()["message"])
        return None


class Speakers:
    """Everybody says something in turn, so many messages a second, until they are stopped."""

    def __init__(self, writers: Iterable[tuple[Talker, Client | Letters]], rate: float) -> None:
        self.said: Counter[str] = Counter()
        self._turns = itertools.cycle(list(writers))
        self._rate, self._over = rate, threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Enough."""
        self._over.set()
        self._thread.join()

    def _speak(self) -> None:
        start = time.monotonic()
        for number, (talker, writer) in enumerate(self._turns):
            if self._over.wait(max(0.0, start + number / self._rate - time.monotonic())):
                return
            content = f"word {number:x}"
            self.said[content] += 1
            writer.say(talker.rooms[(number * 7) % len(talker.rooms)], content)


def stored(app: Flask) -> tuple[History, dict[int, list[int]]]:
    """What the database holds: the messages of each conversation, and the conversations of each person."""
    messages: History = {}
    rooms: dict[int, list[int]] = {}
    with app.app_context():
        rows = fetch(select(Message.__table__).order_by(Message.conversation_id, Message.seq))
        for row in rows:
            messages.setdefault(row.conversation_id, []).append({name: getattr(row, name) for name in SEEN})
        for row in fetch(select(Membership.user_id, Membership.conversation_id).where(Membership.left_at.is_(None))):
            rooms.setdefault(row.user_id, []).append(row.conversation_id)
        db.session.remove()
        db.engine.dispose()  # a connection that is kept may be cut before it is used again
    return messages, rooms


def holds(client: Client, conversation_id: int) -> list[dict[str, Any]]:
    """A client's messages, as far as the checker compares them."""
    return [{name: one[name] for name in SEEN} for one in client.shown(conversation_id)]


def differences(client: Client, rooms: Iterable[int], messages: History) -> list[str]:
    """Where a client has something else than what is stored: a gap, a double, another order, a stale text."""
    found = []
    for conversation_id in rooms:
        true, mine = messages.get(conversation_id, []), holds(client, conversation_id)
        numbers = [one["seq"] for one in mine]
        if numbers != list(range(1, len(true) + 1)):
            missing = sorted({one["seq"] for one in true} - set(numbers))
            found.append(f"conversation {conversation_id}: {len(missing)} of {len(true)} missing: {missing[:5]}")
        elif mine != true:
            found.append(f"conversation {conversation_id}: other words or changes")
    return found


def losses(writers: Iterable[Client | Letters], said: Counter[str], messages: History) -> list[str]:
    """What was acknowledged and is not stored exactly once, in the order it was said, as it was said."""
    found = []
    by_name = Counter(one["client_message_id"] for talk in messages.values() for one in talk)
    by_id = {one["id"]: one for talk in messages.values() for one in talk}
    for writer in writers:
        last: dict[int, int] = {}
        for name, message in writer.acknowledged.items():
            kept = by_id.get(message["id"])
            if by_name[name] != 1 or kept is None:
                found.append(f"{message['content']}: stored {by_name[name]} times")
            elif (kept["client_message_id"], kept["seq"], kept["content"]) != (
                name,
                message["seq"],
                message["content"],
            ):
                found.append(f"{message['content']}: stored as {kept}")
            elif message["seq"] <= last.get(message["conversation_id"], 0):
                found.append(f"{message['content']}: stands before what was said earlier")
            last[message["conversation_id"]] = message["seq"]
    contents = Counter(one["content"].removesuffix(", edited") for talk in messages.values() for one in talk)
    found += [f"{content}: {number} times" for content, number in contents.items() if number != said[content]]
    return found
