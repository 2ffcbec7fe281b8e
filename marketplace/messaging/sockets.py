"""Socket.IO: connecting, and the events a client may send.

Every event carries one object. An error is told by an `error` event and in the acknowledgement,
{"error", "code"}; the connection stays. An event may bring a fresh `token` along.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import structlog
from flask import request
from marshmallow import Schema, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from marketplace.content_filter.service import refusals_recorded
from marketplace.core.database.db import as_problem, in_transaction
from marketplace.core.http.cookies import ACCESS_COOKIE
from marketplace.core.ops import current_settings
from marketplace.core.realtime import connections
from marketplace.core.realtime.connections import Connection, plain, sockets
from marketplace.core.realtime.socketio_server import Refused, emit, join_room, leave_room
from marketplace.kit.clock import now
from marketplace.kit.errors import Busy, Problem
from marketplace.kit.json_types import Json
from marketplace.messaging import presence, queries, service
from marketplace.messaging import sync as messaging_sync
from marketplace.messaging.event_schemas import (
    ConversationEvent,
    PeopleEvent,
    PersonEvent,
    SeenEvent,
    SendEvent,
    SyncEvent,
    TypingEvent,
)

EVENTS_A_SECOND, FLOOD = 60, 400
Handler = Callable[..., Json]
EVENTS: dict[str, Handler] = {}
log = structlog.get_logger(__name__)


class TooFast(Problem):
    """429: more than EVENTS_A_SECOND on one connection."""

    code = "too_many_requests"
    sentence = "Too many events. Wait a little."


class UnknownEvent(Problem):
    """An event name without a handler."""

    code = "unknown_event"
    sentence = "There is no event of this name."


def on(event: str, schema: type[Schema] | None = None, *, writes: bool = False) -> Callable[[Handler], Handler]:
    """Decorator: handle an event of a signed-in person as handler(person, **fields); its return value is the
    acknowledgement."""

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def handle(*sent: Any) -> Json:
            return _answered(event, lambda: _handled(handler, schema, sent, writes=writes))

        EVENTS[event] = handle
        return handler

    return register


def connect(auth: Any = None) -> None:
    """Authenticate by an access token in `auth`, in the query string, in a header or in a cookie; `Bearer` may stand
    before it."""
    try:
        person, claims = connections.sign_in(_token(auth))
    except Problem as problem:
        raise Refused(problem.sentence, {"code": problem.code}) from None
    except SQLAlchemyError as error:  # without an answer the client would wait for ever
        log.warning("a connection could not be checked", error=str(error))
        raise Refused(Busy.sentence, {"code": Busy.code}) from None
    join_room(f"user:{person.id}")
    presence.arrive(int(person.id), _sid(), claims)
    emit("connected", plain({"user_id": person.id, "sid": _sid(), "status": "connected", "timestamp": now()}))


def disconnect(_reason: Any = None) -> None:
    """Forget the socket, whether it said so or broke off."""
    presence.leave(_sid())


def unknown(event: str, *_: Any) -> Json:
    """Answer an event without a handler by an error."""
    return _answered(str(event)[:50], _refuse_unknown)


@on("join_conversation", ConversationEvent)
def join_conversation(person: Any, conversation_id: int) -> Json:
    """Receive who types in a conversation."""
    queries.find(person, conversation_id)
    join_room(f"conversation:{conversation_id}")
    _connection().rooms.add(conversation_id)
    emit("joined_conversation", {"conversation_id": conversation_id})
    return {"conversation_id": conversation_id}


@on("leave_conversation", ConversationEvent)
def leave_conversation(_person: Any, conversation_id: int) -> Json:
    """Receive it no more."""
    leave_room(f"conversation:{conversation_id}")
    _connection().rooms.discard(conversation_id)
    emit("left_conversation", {"conversation_id": conversation_id})
    return {"conversation_id": conversation_id}


@on("typing", TypingEvent)
def typing(person: Any, conversation_id: int, is_typing: bool) -> Json:
    """Show that one types to the others who have it open, at most once a second."""
    connection = _connection()
    shown = presence.show_typing(person, conversation_id, is_typing=is_typing, connection=connection, sid=_sid())
    return {"passed_on": shown}


@on("send_message", SendEvent, writes=True)
def send_message(person: Any, conversation_id: int, **message: Any) -> Json:
    """Acknowledged once it is stored; a `client_message_id` sent again is answered by the first message."""
    stored, before = service.send(person, conversation_id, **message)
    return {"message": stored, "conversation_id": conversation_id, "existing": before}


@on("mark_read", SeenEvent, writes=True)
def mark_read(person: Any, conversation_id: int, seq: int) -> Json:
    """Mark messages up to `seq` as read."""
    return {"messages_marked_read": service.read_to(person, conversation_id, seq)}


@on("delivered", SeenEvent, writes=True)
def delivered(person: Any, conversation_id: int, seq: int) -> Json:
    """Mark messages up to `seq` as delivered."""
    return {"messages_marked_delivered": service.deliver_to(person, conversation_id, seq)}


@on("sync", SyncEvent)
def sync(person: Any, cursors: dict[int, int], limit: int, only_these: bool) -> Json:
    """What changed since these cursors (conversation → revision), in all conversations or in these only."""
    return messaging_sync.sync(person, cursors, limit, only=only_these)


@on("heartbeat")
def heartbeat(person: Any) -> Json:
    """Keep one's presence."""
    sockets().presence.arrive(int(person.id), _sid())
    told = {"unread_count": queries.unread_count(person), "seconds": connections.PING_EVERY}
    answer = plain({**told, "status": "ok", "timestamp": now()})
    emit("heartbeat_ack", answer)
    return answer


@on("authenticate")
def authenticate(_person: Any) -> Json:
    """Acknowledge the fresh token, which every event may carry."""
    return {"expires_at": int(_connection().claims["exp"])}


@on("get_user_status", PersonEvent)
def get_user_status(person: Any, user_id: int) -> Json:
    """Presence of one person."""
    (found,) = presence.statuses(person, [user_id])
    status = plain(found)
    emit("user_status", status)
    return status


@on("get_presence", PeopleEvent)
def get_presence(person: Any, user_ids: list[int]) -> Json:
    """Presence of several people."""
    found = plain(presence.statuses(person, user_ids))
    answer = {"presence": found, "users": found}
    emit("presence_data", answer)
    return answer


def _handled(handler: Handler, schema: type[Schema] | None, sent: tuple[Any, ...], *, writes: bool) -> Json:
    connection = _connection()
    _count(connection)
    data = sent[0] if sent else {}
    if not isinstance(data, Mapping):
        raise ValidationError({"data": ["Send one object."]})
    if "token" in data:
        person, claims = connections.sign_in(data["token"])
        if person.id == connection.user_id:
            connection.claims = claims
    fields = schema().load(data) if schema else {}

    def work() -> Json:
        return handler(connections.person_of(connection.claims), **fields)

    return refusals_recorded(partial(in_transaction, work)) if writes else work()


def _answered(event: str, work: Callable[[], Any]) -> Json:
    try:
        return plain(work())
    except ValidationError as error:
        sentence = " ".join(f"{name}: {' '.join(map(str, found))}" for name, found in error.messages_dict.items())
        problem = {"message": sentence, "code": "invalid", "event": event}
    except Problem as found:
        problem = {"message": found.sentence, "code": found.code, "event": event}
    except Exception as error:
        if isinstance(busy := as_problem(error), Problem):
            return _answered(event, partial(_raise, busy))
        log.exception("event failed", event_name=event)
        problem = {"message": "Something went wrong on our side. It has been recorded.", "code": "internal"}
    emit("error", problem)
    return {"error": problem["message"], "code": problem["code"]}


def _refuse_unknown() -> None:
    _count(_connection())
    raise UnknownEvent()


def _raise(problem: Problem) -> None:
    raise problem


def _count(connection: Connection) -> None:
    """Raises TooFast above EVENTS_A_SECOND; cuts the connection above FLOOD."""
    second = int(time.monotonic())
    connection.events = connection.events + 1 if connection.second == second else 1
    connection.second = second
    if connection.events > FLOOD:
        log.warning("a flood of events was cut off", user_id=connection.user_id)
        sockets().cut(_sid(), TooFast.sentence, TooFast.code, hang_up=True)
    if connection.events > EVENTS_A_SECOND:
        raise TooFast()


def _connection() -> Connection:
    found = sockets().here.get(_sid())
    if found is None:
        raise Refused(connections.ENDED)
    return found


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


def _token(auth: Any) -> str | None:
    sent = auth.get("token") if isinstance(auth, Mapping) else None
    in_cookie = request.cookies.get(ACCESS_COOKIE) if current_settings.switch("COOKIE_SIGN_IN") else None
    return sent or request.args.get("token") or request.headers.get("Authorization") or in_cookie


def register(app: Any) -> None:
    """Add the handlers to the application's Socket.IO server, where this process has one."""
    here: connections.Realtime = app.extensions["live"]
    here.checks += [presence.look_after, presence.stay]
    if here.io.server is None or app.config["SOCKETS"] == "elsewhere":
        return
    here.io.on_event("connect", connect)
    here.io.on_event("disconnect", disconnect)
    for event, handler in EVENTS.items():
        here.io.on_event(event, handler)
    here.io.on_event("*", unknown)
