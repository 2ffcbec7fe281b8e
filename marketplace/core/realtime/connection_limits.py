"""Who may hold a socket at all, before anybody knows who it is: so many, so soon, nothing malformed.

Engine.IO keeps a thread, or some of its attention, for each session, also for one that never says who it is, and for
ever for one whose message was too large. Socket.IO takes its own signals from a client's mouth. Both drop without a
word what is too much for them; here it is done, or refused aloud: an `error` event and a 400 where it came by POST.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any

import orjson
import structlog

from marketplace.core.realtime.socketio_server import (
    MESSAGE,
    EngineIOError,
    Packet,
    Payload,
    QueueEmpty,
    UnknownPacketError,
)
from marketplace.kit.network import network_of

PATIENCE = 10.0  # seconds to say who one is
OURS = {"connect", "disconnect", "*"}  # names of signals that no client may send
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
LARGEST = 64 * 1024  # bytes of a frame, or of a POST with as many packets as fit
MOST_ANSWERED = Payload.max_decode_packets  # clients in Python read no more packets of one answer
MOST_ATTACHMENTS = 16  # binary parts of one packet, of which no event of ours has any
MOST_UNHEARD = 60  # events of somebody who is not signed in yet
TOO_LARGE = {"message": f"At most {LARGEST // 1024} kB at once. Send less, or over REST.", "code": "too_large"}
UNREADABLE = {"message": "This could not be read as packets of Socket.IO. Connect again.", "code": "malformed"}
UNHEARD = {"message": "Nothing is heard before the connection is accepted. Connect first.", "code": "not_signed_in"}
log = structlog.get_logger(__name__)


class WholePayload(Payload):
    """Bounded by the bytes of the POST, not by a number of packets that no client knows."""

    max_decode_packets = LARGEST


class ConnectionLimits:
    """Around one Socket.IO server: `most` sessions, a quarter of them from one address not signed in yet."""

    def __init__(self, server: Any, most: int, start: Callable[..., Any]) -> None:
        self._server, self._engine, self._start = server, server.eio, start
        self._most, self._most_pending = most, max(50, most // 4)
        self._pending: dict[str, tuple[float, str]] = {}
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._is_watching = False
        self._connect, self._message = self._engine.handlers["connect"], self._engine.handlers["message"]
        self._event = server._handle_event
        bad_request = self._engine._bad_request
        self._engine._bad_request = lambda message=None: bad_request(message or UNREADABLE["message"])
        self._engine.handlers |= {"connect": self.arrive, "message": self.hear}
        server._handle_event = self.name_event

    def arrive(self, sid: str, environ: dict[str, Any]) -> object:
        """Engine.IO connect: begin a session, or return the sentence that refuses it where there are too many."""
        address = network_of(str(environ.get("REMOTE_ADDR", "")))
        with self._lock:
            if self._is_full(address):
                self._look_again()
            if self._is_full(address):
                return "There are too many connections. Try again in a moment."
            self._pending[sid] = time.monotonic(), address
            self._waiting[address] += 1
            must_watch, self._is_watching = not self._is_watching, True
        one = self._engine.sockets[sid]
        one.handle_post_request, one.poll = partial(self._take, one), partial(_poll, one)
        if must_watch:
            self._start(self._watch)
        return self._connect(sid, environ)

    def hear(self, sid: str, data: Any) -> object:
        """Engine.IO message: hand a packet on; one that does not parse ends its session."""
        try:
            self._check_attachments(sid, data)
            return self._message(sid, data)
        except MALFORMED as error:
            log.warning("a malformed packet", error=type(error).__name__)
            self.refuse(sid)
            return None

    def name_event(self, sid: str, namespace: str | None, packet_id: Any, data: Any) -> object:
        """Socket.IO event: one without a name, or under a name of our own, is handed on as one that nobody handles."""
        if self._server.manager.sid_from_eio_sid(sid, namespace or "/") is None:
            self._answer_stranger(sid, packet_id)
            return None
        name = data[0] if isinstance(data, list) and data else None
        sent = data if isinstance(name, str) and name not in OURS else ["(no event)"]
        return self._event(sid, namespace, packet_id, sent)

    def refuse(self, sid: str, problem: dict[str, str] = UNREADABLE) -> None:
        """Send an `error` event with the sentence, then end the session."""
        found = self._engine.sockets.get(sid)
        if found is not None and not found.closed:
            found.is_refused = True
            _tell(found, problem)
            self.close(sid)

    def close(self, sid: str) -> None:
        """End a session without sending what is queued: a client that does not read would hold the thread."""
        found = self._engine.sockets.get(sid)
        if found is not None:
            found.close(wait=False)
            self._engine.sockets.pop(sid, None)

    def _take(self, one: Any, environ: dict[str, Any]) -> None:
        """All packets of a POST; raises UnknownPacketError (400) where some are not done, which ends the session."""
        packets: list[Any] = []
        try:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            if len(body) < int(environ["CONTENT_LENGTH"]):
                raise EOFError("the body is shorter than it says")
            packets = WholePayload(encoded_payload=body.decode()).packets
            while packets and not one.closed:
                one.receive(packets.pop(0))
        except (*MALFORMED, EOFError, EngineIOError) as error:
            log.warning("a malformed payload", error=type(error).__name__)
            self.refuse(one.sid)
        if getattr(one, "is_refused", False) or (one.closed and packets):
            log.warning("packets of a POST were refused", left=len(packets))
            raise UnknownPacketError()

    def _check_attachments(self, sid: str, data: Any) -> None:
        """Raises ValueError for too many, and for words that would be swallowed as one of them."""
        if not isinstance(data, str):
            return
        if sid in self._server._binary_packet:
            raise ValueError("words where an attachment is due")
        count, dash, _ = data[1:].partition("-")
        if data[:1] in {"5", "6"} and dash and count.isdigit() and (len(count) > 2 or int(count) > MOST_ATTACHMENTS):
            raise ValueError("too many attachments")

    def _answer_stranger(self, sid: str, packet_id: Any) -> None:
        one = self._engine.sockets.get(sid)
        if one is None or one.closed:
            return
        one.unheard = getattr(one, "unheard", 0) + 1
        log.warning("an event before the connection was accepted")
        if one.unheard > MOST_UNHEARD:
            self.refuse(sid, UNHEARD)
        else:
            _tell(one, UNHEARD, packet_id)

    def _watch(self) -> None:
        while True:
            self._server.sleep(PATIENCE / 4)
            with self._lock:
                self._look_again()
                if not self._pending:
                    self._is_watching = False
                    return
                late = [sid for sid, (since, _) in self._pending.items() if since < time.monotonic() - PATIENCE]
            for sid in late:
                self.close(sid)

    def _is_full(self, address: str) -> bool:
        return len(self._engine.sockets) > self._most or self._waiting[address] >= self._most_pending

    def _look_again(self) -> None:
        """Websockets under gunicorn end by an exception, after which Engine.IO keeps them until its next round."""
        for sid in [sid for sid, one in list(self._engine.sockets.items()) if one.closed]:
            self._engine.sockets.pop(sid, None)
        self._pending = {sid: one for sid, one in self._pending.items() if self._is_unnamed(sid)}
        self._waiting = Counter(address for _, address in self._pending.values())

    def _is_unnamed(self, sid: str) -> bool:
        return sid in self._engine.sockets and self._server.manager.sid_from_eio_sid(sid, "/") is None


def refuse_large(app: Callable[..., Iterable[bytes]], path: str = "/socket.io") -> Callable[..., Iterable[bytes]]:
    """A WSGI application that answers 413 to what is too large, also where its length is not said before."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and str(environ.get("PATH_INFO", "")).startswith(path):
            body = b"" if _length(environ) > LARGEST else environ["wsgi.input"].read(LARGEST + 1)
            if _length(environ) > LARGEST or len(body) > LARGEST:
                log.warning("a payload was too large", length=environ.get("CONTENT_LENGTH"))
                start_response("413 Content Too Large", [("Content-Type", "application/json"), ("Connection", "close")])
                return [orjson.dumps(TOO_LARGE)]
            declared = environ.get("CONTENT_LENGTH") or len(body)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(declared)}
        return app(environ, start_response)

    return guarded


def error_packet(problem: dict[str, str]) -> str:
    """An `error` event as Engine.IO sends it."""
    return f"{MESSAGE}{_event_text(problem)}"


def _event_text(problem: dict[str, str]) -> str:
    return "2" + orjson.dumps(["error", problem]).decode()


def _length(environ: dict[str, Any]) -> int:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else LARGEST + 1


def _tell(one: Any, problem: dict[str, str], packet_id: Any = None) -> None:
    one.send(Packet(MESSAGE, data=_event_text(problem)))
    if packet_id is not None:
        refusal = [{"error": problem["message"], "code": problem["code"]}]
        one.send(Packet(MESSAGE, data=f"3{packet_id}{orjson.dumps(refusal).decode()}"))


def _poll(one: Any) -> list[object]:
    """What waits to be sent, so many at most; an empty list where the session has ended. Raises QueueEmpty."""
    empty = one.server.get_queue_empty_exception()
    packets: list[Any] = []
    try:
        packets.append(one.queue.get(timeout=one.server.ping_interval + one.server.ping_timeout))
        one.queue.task_done()
        while packets[-1] is not None and len(packets) < MOST_ANSWERED:
            packets.append(one.queue.get(block=False))
            one.queue.task_done()
    except empty:
        if not packets:
            raise QueueEmpty() from None
    if len(packets) > 1 and packets[-1] is None:
        one.queue.put(None)
    return [packet for packet in packets if packet is not None]
