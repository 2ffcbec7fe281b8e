"""Presence: who is online, who types, and which sockets stay open and in which rooms.

Apart from the rooms: it lives in the connections of the process and in Redis, not in tables.
"""

import time
from datetime import datetime
from typing import Any

from marketplace.auth import last_seen
from marketplace.auth import presence as auth_presence
from marketplace.auth.models import User
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.realtime import connections
from marketplace.core.realtime.connections import Connection, sockets
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.messaging import policy, queries

TYPING_PAUSE = 1.0  # seconds between two signs of one socket
AT_ONCE = 500


def arrive(user_id: int, sid: str, claims: dict[str, Any]) -> None:
    """Register an open socket; contacts are told of a person's first one."""
    here = sockets()
    here.here[sid] = Connection(user_id, claims)
    if here.presence.arrive(user_id, sid):
        _announce(user_id, is_online=True)
    here.watch()


def leave(sid: str) -> None:
    """Forget a closed socket; contacts are told when it was the last."""
    connection = sockets().here.pop(sid, None)
    if connection is not None:
        _gone(connection.user_id, sid)


def show_typing(person: User, conversation_id: int, *, is_typing: bool, connection: Connection, sid: str) -> bool:
    """Show it to who has the conversation open; False where it was not shown, as within a second of the last sign or
    where one blocks the other. Raises NotFound."""
    conversation = queries.find(person, conversation_id)
    if connection.is_typing == is_typing and time.monotonic() - connection.typed_at < TYPING_PAUSE:
        return False
    other_id = policy.other_side(person.id, conversation)
    if other_id is not None and policy.is_blocked(person.id, other_id):
        return False
    connection.typed_at, connection.is_typing = time.monotonic(), is_typing
    sign = {"user_id": person.id, "conversation_id": conversation_id, "is_typing": is_typing}
    connections.tell_room(conversation_id, "user_typing", sign, but=sid)
    return True


def statuses(viewer: User, user_ids: list[int]) -> list[JsonObject]:
    """Online or offline, and last activity; blocked people and unknown ids are shown as offline without more."""
    seen = auth_presence.last_seen(user_ids)
    shown = set(seen) - policy.blocked_with(viewer.id)
    here = sockets().presence.are_here(shown)
    return [
        _status(one, seen[one] if one in shown else None, is_online=one in here, language=viewer.language)
        for one in dict.fromkeys(user_ids)
    ]


def look_after() -> None:
    """Cut sockets whose token or sign-in has ended, and take sockets out of conversations their person has left."""
    asked = list(sockets().here.items())  # who comes while the database is asked is looked after the next time
    _cut_ended(asked)
    _empty_rooms([(sid, connection, set(connection.rooms)) for sid, connection in asked if connection.rooms])


def stay() -> None:
    """Refresh the presence of sockets that send no heartbeat of their own."""
    before = time.monotonic() - connections.PING_EVERY
    due = [(sid, connection) for sid, connection in list(sockets().here.items()) if connection.seen_at < before]
    sockets().presence.stay([(connection.user_id, sid) for sid, connection in due])
    for _, connection in due:
        connection.seen_at = time.monotonic()


def _cut_ended(asked: list[tuple[str, Connection]]) -> None:
    living = _living({connection.claims["sid"] for _, connection in asked})
    for sid, connection in asked:
        if connection.claims["exp"] <= time.time() or connection.claims["sid"] not in living:
            sockets().cut(sid)
            _gone(connection.user_id, sid)


def _empty_rooms(inside: list[tuple[str, Connection, set[int]]]) -> None:
    here, members = sockets(), queries.still_members({connection.user_id for _, connection, _ in inside})
    for sid, connection, rooms in inside:
        for conversation_id in [one for one in rooms if (one, connection.user_id) not in members]:
            here.io.server.leave_room(sid, f"conversation:{conversation_id}")
            connection.rooms.discard(conversation_id)
            here.io.emit("left_conversation", {"conversation_id": conversation_id}, to=sid)


def _living(sign_in_ids: set[str]) -> set[str]:
    ids = sorted(sign_in_ids)
    parts = [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
    return {one for part in parts for one in sessions_service.open_ones(part)}


def _gone(user_id: int, sid: str) -> None:
    if sockets().presence.leave(user_id, sid):
        _announce(user_id, is_online=False)


def _announce(user_id: int, *, is_online: bool) -> None:
    """Tell the person's contacts."""
    seen = auth_presence.last_seen([user_id]).get(user_id)
    for language, contacts in auth_presence.by_language(queries.contacts(user_id)).items():
        status = _status(user_id, seen, is_online=is_online, language=language)
        for event in ("user_status_changed", "user_presence"):
            connections.tell(contacts, event, status)


def _status(user_id: int, seen: datetime | None, *, is_online: bool, language: str) -> JsonObject:
    shown = last_seen.view(seen, is_online=is_online, language=language)
    told = {"user_id": user_id, "is_online": is_online, "status": shown["online_status"], "last_seen": seen}
    return {**told, **shown, "timestamp": now()}
