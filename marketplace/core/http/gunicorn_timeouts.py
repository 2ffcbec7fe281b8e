"""How long gunicorn waits for one request to come in as a whole: it has no setting for that, and threads wait.

Its configuration files use this; it replaces the two classes by which gunicorn reads requests.
"""

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.http import message, parser, unreader

HEAD_SECONDS = 20.0
BODY_SECONDS, LONGEST_BODY = 20.0, 600.0
SLOWEST_RATE = 10_000  # bytes a second: what came lets a body go on so much longer


def init() -> None:
    """Replace gunicorn's request reader by the timed one."""
    parser.SocketUnreader = TimedUnreader
    parser.RequestParser.mesg_class = TimedRequest


class TimedUnreader(unreader.SocketUnreader):  # type: ignore[misc,unused-ignore]
    """Reads as if the client had hung up once a part of the request (head, body) has taken its time."""

    _ends: float | None = None
    _last = 0.0
    _is_over = False
    _rate = 0

    def begin(self, seconds: float, rate: int = 0) -> None:
        """A head or a body, whose time begins with its first piece: before that the connection is only idle."""
        self._seconds, self._rate, self._ends = seconds, rate, None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; empty at the end or when the time is up."""
        if self._is_over:
            return b""
        usual = self.sock.gettimeout()
        left = None if self._ends is None else self._ends - time.monotonic()
        if left is None or (usual is not None and usual <= left):
            return self._idle_or_next(size_hint)
        try:
            self.sock.settimeout(max(left, 0.001))
            return self._counted(super().chunk(size_hint))
        except TimeoutError:
            return self._cut_off()
        finally:
            self.sock.settimeout(usual)

    def _idle_or_next(self, size_hint: int | None) -> bytes:
        """A connection whose own time ends between two requests (a WebSocket was refused on it) has ended, no more."""
        try:
            return self._counted(super().chunk(size_hint))
        except TimeoutError:
            if self._ends is None and not self._rate:
                return self._cut_off()
            raise

    def _counted(self, data: bytes) -> bytes:
        if self._ends is None:
            begun = time.monotonic()
            self._ends, self._last = begun + self._seconds, begun + max(self._seconds, LONGEST_BODY)
        if self._rate:
            self._ends = min(self._ends + len(data) / self._rate, self._last)
        return self._cut_off() if time.monotonic() > self._ends else data

    def _cut_off(self) -> bytes:
        self._is_over = True  # for good: what comes later would be taken for the next request
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)
        return b""


class TimedRequest(message.Request):  # type: ignore[misc,unused-ignore]
    """A gunicorn request whose head and body each have a time to arrive in."""

    def parse(self, unreader: Any) -> Any:
        """Read the head within its time, then begin the time of the body."""
        is_timed = isinstance(unreader, TimedUnreader)
        if is_timed:
            unreader.begin(HEAD_SECONDS)
        rest = super().parse(unreader)
        if is_timed:
            unreader.begin(BODY_SECONDS, SLOWEST_RATE)
        return rest
