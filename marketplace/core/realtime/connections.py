"""What is told at once, over Socket.IO: who is connected here, as whom, and how to reach somebody anywhere.

Nothing here is the truth: it is told after the commit, at most once, and a client that missed it asks. Where
there is a Redis, every process reaches every socket through it; without one, all sockets are in this process.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from flask import Flask, current_app
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError
from redis import Redis
from redis.exceptions import RedisError

from marketplace.core.http.access import Loaders, Person, claims_of, record_refused
from marketplace.core.http.json import json_body
from marketplace.core.http.response_headers import names_host
from marketplace.core.realtime import websocket_patch
from marketplace.core.realtime.connection_limits import LARGEST, ConnectionLimits, refuse_large
from marketplace.core.realtime.socketio_server import SocketIO
from marketplace.kit import normalization
from marketplace.kit.errors import NotSignedIn
from marketplace.kit.json_types import Json, JsonObject
from marketplace.kit.normalization import bearer

MOST_UNDER_GEVENT = 20_000
CHECK_SECONDS = 2.0
HERE_SECONDS = 75  # a heartbeat every 25 s may fail twice
PING_EVERY, PING_TIMEOUT = 25, 20
SILENCE = PING_EVERY + PING_TIMEOUT + 15.0  # no living client is silent for so long
Wsgi = Callable[[Any, Any], Iterable[bytes]]
ENDED = "This sign-in is not valid or has ended. Please sign in again."
log = structlog.get_logger(__name__)
QUIET = logging.getLogger("marketplace.packets")  # what clients send wrongly is no error of ours
QUIET.setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Connection:
    """One socket of somebody; `rooms` are the conversations it listens to."""

    user_id: int
    claims: dict[str, Any]
    rooms: set[int] = field(default_factory=set)
    typed_at: float = 0.0
    seen_at: float = 0.0
    is_typing: bool = False
    second: int = 0
    events: int = 0


class Realtime:
    """The Socket.IO server of an application and what it knows of its connections."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        url, mode = app.config["REDIS_URL"], app.config["SOCKETS"]
        self.here: dict[str, Connection] = {}
        self.presence = Presence(url)
        self.checks: list[Callable[[], None]] = []
        self._watching = threading.Lock()
        if mode == "elsewhere":
            self.io = SocketIO(message_queue=url, channel=_channel(url))  # only writes there: others have the sockets
            return
        pages = app.wsgi_app
        self.io = SocketIO(
            app,
            async_mode=mode,
            message_queue=url or None,
            channel=_channel(url),
            cors_allowed_origins=self._may_connect,
            max_http_buffer_size=LARGEST,
            ping_interval=PING_EVERY,
            ping_timeout=PING_TIMEOUT,
            manage_session=False,
            always_connect=False,
            async_handlers=False,  # what one client sends is done in the order it was sent
            logger=QUIET,
            engineio_logger=QUIET,
        )
        engine = self.io.server.eio
        websocket_patch.look_after(engine, largest=LARGEST, patience=SILENCE)
        most = app.config["SOCKET_THREADS"] if mode == "threading" else MOST_UNDER_GEVENT
        self.gate = ConnectionLimits(self.io.server, most, self.io.start_background_task)
        app.wsgi_app = _only_with_host(refuse_large(app.wsgi_app), pages)  # type: ignore[method-assign,assignment]
        if name := app.config["SOCKET_INSTANCE"]:
            random_id = engine.generate_id
            engine.generate_id = lambda: f"{name}.{random_id()}"  # the proxy brings a session back to us by it

    def _may_connect(self, origin: str, environ: dict[str, Any]) -> bool:
        """Whether the Origin is one of CORS_ORIGINS or our own."""
        return origin in self.app.config["CORS_ORIGINS"] or urlsplit(origin).netloc == environ.get("HTTP_HOST")

    def watch(self) -> None:
        """Look after the sockets of this process as long as there are any."""
        if self._watching.acquire(blocking=False):
            self.io.start_background_task(self._watch)

    def cut(self, sid: str, sentence: str = ENDED, code: str = "not_signed_in", *, hang_up: bool = False) -> None:
        """End one socket, saying why; `hang_up`: its line too, so that it cannot begin again on it."""
        server = self.io.server
        line = server.manager.eio_sid_from_sid(sid, "/")
        self.io.emit("error", {"message": sentence, "code": code}, to=sid)
        self.here.pop(sid, None)
        server.disconnect(sid)
        if hang_up and line is not None:
            self.gate.close(line)

    def _watch(self) -> None:
        try:
            while self.here:
                self.io.sleep(CHECK_SECONDS)
                with self.app.app_context():
                    for check in self.checks:
                        try:
                            check()
                        except Exception:
                            log.exception("the sockets could not be checked")
        finally:
            self._watching.release()
        if self.here:  # somebody came between the last look and the release
            self.watch()


class Presence:
    """Who is connected anywhere: each socket until a moment that heartbeats move on."""

    def __init__(self, redis_url: str) -> None:
        short = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
        self._redis = Redis.from_url(redis_url, **short) if redis_url else None
        self._memory: dict[int, dict[str, float]] = {}

    def arrive(self, user_id: int, sid: str) -> bool:
        """Note a socket for HERE_SECONDS; True where it is the person's only one."""
        until = time.time() + HERE_SECONDS
        if self._redis is None:
            first = not self._alive(user_id)
            self._memory.setdefault(user_id, {})[sid] = until
            return first
        try:
            with self._redis.pipeline() as line:
                line.zcount(f"here:{user_id}", time.time(), "+inf")
                line.zadd(f"here:{user_id}", {sid: until})
                line.zremrangebyscore(f"here:{user_id}", "-inf", time.time())
                line.expire(f"here:{user_id}", HERE_SECONDS)
                return not line.execute()[0]
        except RedisError:
            return False

    def stay(self, sockets: list[tuple[int, str]]) -> None:
        """Note (user id, socket id) pairs for HERE_SECONDS more, in one round trip."""
        if self._redis is None or not sockets:
            for user_id, sid in sockets:
                self.arrive(user_id, sid)
            return
        until = time.time() + HERE_SECONDS
        try:
            with self._redis.pipeline(transaction=False) as line:
                for user_id, sid in sockets:
                    line.zadd(f"here:{user_id}", {sid: until})
                    line.expire(f"here:{user_id}", HERE_SECONDS)
                line.execute()
        except RedisError as error:
            log.warning("who is here could not be told", error=str(error))

    def leave(self, user_id: int, sid: str) -> bool:
        """Forget a socket; True where it was the person's last."""
        if self._redis is None:
            self._memory.get(user_id, {}).pop(sid, None)
            if not self._alive(user_id):
                self._memory.pop(user_id, None)
                return True
            return False
        try:
            with self._redis.pipeline() as line:
                line.zrem(f"here:{user_id}", sid)
                line.zcount(f"here:{user_id}", time.time(), "+inf")
                return not line.execute()[1]
        except RedisError:
            return False

    def are_here(self, user_ids: Iterable[int]) -> set[int]:
        """Those of these who are connected; nobody, where Redis does not answer."""
        ids = list(user_ids)
        if self._redis is None:
            return {user_id for user_id in ids if self._alive(user_id)}
        try:
            with self._redis.pipeline() as line:
                for user_id in ids:
                    line.zcount(f"here:{user_id}", time.time(), "+inf")
                return {user_id for user_id, count in zip(ids, line.execute(), strict=True) if count}
        except RedisError:
            return set()

    def _alive(self, user_id: int) -> bool:
        return any(until > time.time() for until in self._memory.get(user_id, {}).values())


def init_app(app: Flask) -> None:
    """Sockets as the setting SOCKETS says: in threads, under gevent, or elsewhere."""
    app.extensions["live"] = Realtime(app)


def sockets() -> Realtime:
    """The application's Realtime, which `init_app` made."""
    found: Realtime = current_app.extensions["live"]
    return found


def tell(user_ids: Iterable[int], event: str, data: Any) -> None:
    """Emit to every socket of these people in every process; never raises: a hint may be lost."""
    _emit(event, data, [f"user:{user_id}" for user_id in user_ids])


def tell_room(conversation_id: int, event: str, data: Any, *, but: str | None = None) -> None:
    """Emit to the sockets that have this conversation open, but for the socket id `but`."""
    _emit(event, data, [f"conversation:{conversation_id}"], but)


def sign_in(token: Any) -> tuple[Person, JsonObject]:
    """The person and the claims of an access token; raises NotSignedIn (401)."""
    try:
        if not isinstance(token, str):
            raise TypeError("no token")
        claims = claims_of(decode_token(bearer(token) or normalization.token(token)))
    except (JWTExtendedException, PyJWTError, KeyError, ValueError, TypeError) as error:
        record_refused(error)
        raise NotSignedIn(ENDED) from None
    return person_of(claims), claims


def person_of(claims: dict[str, Any]) -> Person:
    """The person, while the token, the sign-in and the account count; raises NotSignedIn (401)."""
    loaders: Loaders = current_app.extensions["loaders"]
    person = None
    if claims.get("type") == "access" and claims["exp"] > time.time():
        person = loaders.person(claims)
    if person is None:
        raise NotSignedIn(ENDED)
    return person


def plain(value: Any) -> Json:
    """As JSON would carry it: datetimes as ISO 8601 texts."""
    carried: Json = orjson.loads(json_body(value))
    return carried


def _only_with_host(sockets: Wsgi, pages: Wsgi) -> Wsgi:
    """What names no host goes past the sockets, to the pages, which refuse it."""
    return lambda environ, start: (sockets if names_host(environ) else pages)(environ, start)


def _channel(redis_url: str) -> str:
    """Redis tells every database's listeners: two marketplaces in one Redis must not hear each other."""
    return f"marketplace-{urlsplit(redis_url).path.strip('/') or 0}"


def _emit(event: str, data: Any, rooms: list[str], but: str | None = None) -> None:
    if not rooms:
        return
    try:
        sockets().io.emit(event, plain(data), to=rooms, skip_sid=but)
    except Exception:
        log.exception("could not be told at once", event_name=event)
