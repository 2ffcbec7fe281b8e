"""Who may hold a socket at all, before anybody knows who it is: so many, so soon, nothing malformed.

Engine.IO keeps a thread, or some of its attention, for each session, also for one that never says who it is, and for
ever for one whose message was too large. Socket.IO takes its own signals from a client's mouth.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from marketplace.kit.network import network_of

MOST_DRAINED = 1024 * 1024
PATIENCE = 10.0  # seconds to say who one is
OURS = {"connect", "disconnect", "*"}  # names of signals that no client may send
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
log = structlog.get_logger(__name__)


class Gate:
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
        self._engine.handlers |= {"connect": self.arrive, "message": self.hear}
        server._handle_event = self.name_event

    def arrive(self, sid: str, environ: dict[str, Any]) -> Any:
        """A session begins, or is refused where there are too many."""
        address = network_of(str(environ.get("REMOTE_ADDR", "")))
        with self._lock:
            if self._is_full(address):
                self._look_again()
            if self._is_full(address):
                return "There are too many connections. Try again in a moment."
            self._pending[sid] = time.monotonic(), address
            self._waiting[address] += 1
            must_watch, self._is_watching = not self._is_watching, True
        if must_watch:
            self._start(self._watch)
        return self._connect(sid, environ)

    def hear(self, sid: str, data: Any) -> Any:
        """A packet; one that is none ends its session."""
        try:
            return self._message(sid, data)
        except MALFORMED as error:
            log.warning("a malformed packet", error=type(error).__name__)
            self.close(sid)
            return None

    def name_event(self, sid: str, namespace: str | None, packet_id: Any, data: Any) -> Any:
        """An event under a name that is ours, or no name, is one that nobody handles."""
        name = data[0] if isinstance(data, list) and data else None
        sent = data if isinstance(name, str) and name not in OURS else ["(no event)"]
        return self._event(sid, namespace, packet_id, sent)

    def close(self, sid: str) -> None:
        """Without waiting for what is still to be sent: whoever does not read would hold us."""
        found = self._engine.sockets.get(sid)
        if found is not None:
            found.close(wait=False)
            self._engine.sockets.pop(sid, None)

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


def refuse_large(app: Callable[..., Any], largest: int, path: str = "/socket.io") -> Callable[..., Any]:
    """A WSGI application that answers 413 before anybody reads what is too large."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if str(environ.get("PATH_INFO", "")).startswith(path) and not (length.isdecimal() and int(length) <= largest):
            if length.isdecimal():  # a server waits for the rest of what nobody has read, and lets others wait with it
                environ["wsgi.input"].read(min(int(length), MOST_DRAINED))
            start_response("413 Content Too Large", [("Content-Type", "text/plain"), ("Connection", "close")])
            return [b"At most 64 kB at once."]
        return app(environ, start_response)

    return guarded
