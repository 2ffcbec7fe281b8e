"""Gunicorn reads this by itself: what no setting of the command line can say."""

from typing import Any

from config import ConfigurationError, load
from marketplace.core import gunicorn_errors

try:
    load()  # before gunicorn takes PORT itself, and once instead of once a worker
except ConfigurationError as error:
    raise SystemExit(f"Error: {error}") from None

SLOWEST_BODY = 20.0  # seconds between two pieces of a body; a sender that stalls must not keep a thread
limit_request_line = gunicorn_errors.init()


def pre_request(worker: Any, req: Any) -> None:
    """Threads wait for bodies on a blocking socket, for ever unless told otherwise."""
    sock = getattr(req.unreader, "sock", None)
    if sock is not None:
        sock.settimeout(SLOWEST_BODY)
