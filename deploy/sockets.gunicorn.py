"""One process with the sockets of the chat, of which there may be several behind nginx:

SOCKET_INSTANCE=1 gunicorn -c deploy/sockets.gunicorn.py -b 127.0.0.1:5101 wsgi:app

One worker each, because a session over polling must come back to the process it began in. What a session needs beyond
that travels over Redis. gevent-websocket must not be installed: simple-websocket serves gevent as well.
"""

from gevent import monkey

monkey.patch_all()  # before anything else: psycopg decides at its import how to wait

import os  # noqa: E402
import resource  # noqa: E402
from typing import Any  # noqa: E402

from marketplace.core.http import gunicorn_errors, gunicorn_timeouts  # noqa: E402

os.environ["SOCKETS"] = "gevent"  # whatever the other processes are told
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

worker_class = "gevent"
workers = 1
worker_connections = 20_000  # a socket is one connection; gunicorn's own 1,000 is for requests
keepalive = 75  # as in gunicorn.conf.py
graceful_timeout = 5  # open sockets never end by themselves; their clients go to another process
SLOWEST_BODY = 20.0
limit_request_line = gunicorn_errors.init()
gunicorn_timeouts.init()


def pre_request(worker: Any, req: Any) -> None:
    """A sender that stalls is cut off; WebSockets are given more time later."""
    sock = getattr(req.unreader, "sock", None)
    if sock is not None:
        sock.settimeout(SLOWEST_BODY)
