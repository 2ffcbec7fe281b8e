"""A refusal is read only by a client that could send its whole body: what nobody read of it is taken in first.

A server that answers and hangs up while bytes are still coming makes the system reset the connection, and the client
reports a broken pipe instead of the answer (RFC 9112, 9.6). Bounded, so that no sender keeps a thread by it.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

MOST_BYTES = 32 * 1024 * 1024
SECONDS = 20.0  # six megabytes over an uplink of 4 Mbit/s take twelve
SILENCE = 5.0
STEP = 64 * 1024


class Body:
    """The WSGI input, which counts what is read of it; raises OSError where it ends before its length."""

    def __init__(self, inner: Any, length: int | None) -> None:
        """`length` in bytes; None for a chunked body."""
        self._inner, self._length = inner, length
        self._count = 0
        self._is_over = False

    def read(self, size: int = -1) -> bytes:
        """As `io.RawIOBase.read`."""
        return self._noted(lambda: self._inner.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        """As `io.RawIOBase.readline`."""
        return self._noted(lambda: self._inner.readline(size), 1)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def drain(self, sock: Any) -> bool:
        """Read on to the end of the body and drop it; whether anything was left."""
        if not self._is_left():
            return False
        before = self._count
        with _cut_off(sock), suppress(Exception):  # whatever is wrong with the rest, the answer stands
            while self._is_left() and self._count - before < MOST_BYTES:
                self.read(STEP if self._length is None else min(STEP, self._length - self._count))  # more never comes
        return self._is_left() or self._count > before

    def _is_left(self) -> bool:
        return not self._is_over and (self._length is None or self._count < self._length)

    def _noted(self, read: Callable[[], bytes], wanted: int) -> bytes:
        try:
            data = read()
        except Exception as error:
            self._is_over = True
            raise error if isinstance(error, OSError) else OSError(str(error)) from error  # malformed chunks: a 400
        self._count += len(data)
        if not data and wanted and self._is_left() and self._length is not None:
            self._is_over = True
            raise OSError("the body ended before its length")  # werkzeug would take it for a whole one
        self._is_over = self._is_over or wanted < 0 or (not data and wanted > 0)
        return data


class BodyDrain:
    """WSGI middleware: reads the rest of a body that the view did not, then has the connection closed."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = str(environ.get("CONTENT_LENGTH") or "0")
        is_chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
        if not is_chunked and not (length.isascii() and length.isdecimal() and int(length)):
            return self.app(environ, start_response)
        body = environ["wsgi.input"] = Body(environ["wsgi.input"], None if is_chunked else int(length))
        answer = self.app(environ, start_response)
        if body.drain(environ.get("gunicorn.socket")):
            response = getattr(start_response, "__self__", None)  # gunicorn's, which takes no Connection header from us
            getattr(response, "force_close", lambda: None)()
        return answer


@contextmanager
def _cut_off(sock: Any) -> Iterator[None]:
    """However slowly it drips, it ends: what waits for more reads an end of file."""
    if sock is None:
        yield
        return
    timer, usual = threading.Timer(SECONDS, _stop_reading, [sock]), sock.gettimeout()
    timer.start()
    sock.settimeout(SILENCE)
    try:
        yield
    finally:
        timer.cancel()
        with suppress(OSError):  # closed meanwhile
            sock.settimeout(usual)


def _stop_reading(sock: Any) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RD)
