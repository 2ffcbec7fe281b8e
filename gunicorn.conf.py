"""Gunicorn reads this by itself: what no setting of the command line can say."""

import resource
from typing import Any

from config import ConfigurationError, load
from marketplace.core.http import gunicorn_errors, gunicorn_timeouts

try:
    load()  # before gunicorn takes PORT itself, and once instead of once a worker
except ConfigurationError as error:
    raise SystemExit(f"Error: {error}") from None

# Longer than whoever is in front keeps a connection (nginx 60 s, Node's fetch 4 s): a client that sends on one that is
# just being closed loses its request, and a POST is not sent again. Idle connections hold no thread.
keepalive = 75
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
FILES = 10_240 if FILES == resource.RLIM_INFINITY else min(FILES, 20_480)
resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
worker_connections = FILES // 2  # idle ones count: at gunicorn's own 1,000 no new ones would be accepted
SLOWEST_BODY = 20.0  # seconds between two pieces of a body; a sender that stalls must not keep a thread
limit_request_line = gunicorn_errors.init()
gunicorn_timeouts.init()


def pre_request(worker: Any, req: Any) -> None:
    """Threads wait for bodies on a blocking socket, for ever unless told otherwise."""
    sock = getattr(req.unreader, "sock", None)
    if sock is not None:
        sock.settimeout(SLOWEST_BODY)
