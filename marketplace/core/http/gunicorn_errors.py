"""What gunicorn answers to requests that it cannot hand to the application: problem documents instead of its pages,
and room for every query that a schema allows. Its configuration files use this; it replaces two things of gunicorn's
that have no setting: `util.write_error`, and the ceiling of `limit_request_line`.
"""

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import message

from marketplace.core.http.json import json_body
from marketplace.core.http.problems import SENTENCES, phrase_of

LONGEST_LINE = 32 * 1024  # bytes: several parameters of 500 letters that take 12 each, percent-encoded
SECONDS, MOST_BYTES = 2.0, 1024 * 1024
NO_HTTP = "This is no valid HTTP request. Letters beyond ASCII in an address have to be percent-encoded."


def init() -> int:
    """Replace gunicorn's error page and longest request line; returns that length in bytes."""
    message.MAX_REQUEST_LINE = LONGEST_LINE
    util.write_error = write_problem
    return LONGEST_LINE


def write_problem(sock: Any, status: int, reason: str, _message: str) -> None:
    """gunicorn's `write_error` as problem+json, which repeats nothing that was sent."""
    code, sentence = SENTENCES.get(status, SENTENCES[400])
    sentence = NO_HTTP if status == 400 else sentence
    about = {"type": "about:blank", "title": phrase_of(status), "status": status}
    body = json_body({**about, "detail": sentence, "error": sentence, "code": code})
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(sock, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    _linger(sock)


def _linger(sock: Any) -> None:
    """What still comes is taken in for a moment, or the answer would be lost with the connection (RFC 9112, 9.6)."""
    end, left = time.monotonic() + SECONDS, MOST_BYTES
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while left > 0 and (patience := end - time.monotonic()) > 0:
            sock.settimeout(patience)
            data = sock.recv(65_536)
            if not data:
                return
            left -= len(data)
