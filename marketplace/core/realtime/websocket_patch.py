"""What WebSockets are sent over: whole frames, an end to every wait, no compression.

Left to itself simple-websocket loses the rest of a frame that does not fit into the socket's buffer, waits for ever
for a peer that is gone, reads messages of any length into memory, and keeps a compressor for every socket.
"""

import socket
import threading
from typing import Any

import structlog

from marketplace.core.realtime.connection_limits import TOO_LARGE, error_packet

TOO_BIG = b"\x88", (1009).to_bytes(2)  # how the frame begins that closes a line on which somebody sent too much
log = structlog.get_logger(__name__)
SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class Wire:
    """A socket on which a frame goes out as a whole, one after the other, or not at all."""

    def __init__(self, sock: Any, patience: float) -> None:
        self._sock = sock
        self._turn = threading.Lock()
        sock.settimeout(patience)

    def send(self, data: bytes) -> int:
        """Send a whole frame; a client that does not read it in time is cut off."""
        if (data[:1], data[2:4]) == TOO_BIG:
            log.warning("a frame was too large")
            data = _text_frame(error_packet(TOO_LARGE)) + data
        with self._turn:
            try:
                self._sock.sendall(data)
            except OSError:
                self._sock.shutdown(socket.SHUT_RDWR)
                raise
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def look_after(engine: Any, *, largest: int, patience: float) -> None:
    """Have this Engine.IO server open its WebSockets so; `patience` is longer than any living client is silent."""
    plain = engine._async["websocket"]

    class WebSocket(plain):  # type: ignore[misc, valid-type]
        def __init__(self, handler: Any, server: Any) -> None:
            super().__init__(handler, server)
            self.server_args["max_message_size"] = largest

        def __call__(self, environ: dict[str, Any], start_response: Any) -> object:
            environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
            for name in SOCKETS:
                if name in environ:
                    environ[name] = Wire(environ[name], patience)
            try:
                return super().__call__(environ, start_response)
            except (ValueError, TypeError, LookupError) as error:  # bytes that are no packet end their own line only
                log.warning("malformed bytes", error=type(error).__name__)
                if "gunicorn.socket" in environ:
                    raise StopIteration from None  # as simple-websocket's own end of a line tells gunicorn
                return []

    engine._async = {**engine._async, "websocket": WebSocket}


def _text_frame(text: str) -> bytes:
    """As a server sends it (RFC 6455, 5.2): not masked; for texts of up to 65,535 bytes."""
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2)
    return b"\x81" + length + data
