"""The servers that are measured, each of two processes on a port of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import config

OURS = ("gunicorn", "-k", "gthread", "-w", "2", "--threads", "4", "wsgi:app", "-b", "127.0.0.1:{port}")
FASTAPI = ("uvicorn", "--workers", "2", "--log-level", "error", "benchmarks.peers.fastapi_orm:app", "--port", "{port}")
ANSWERS = "/api/listings/1"


@contextmanager
def serve(command: tuple[str, ...], url: str) -> Iterator[int]:
    """The port of a server on this database, gone afterwards."""
    port = _free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "LOG_LEVEL": "ERROR",
        "RATE_LIMITS": "0",
        "JWT_SECRET_KEY": config.INSECURE_SECRET,
        "THREADS": "4",
    }
    whole = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    process = subprocess.Popen(whole, env=environment, cwd=config.ROOT, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    """One nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{ANSWERS}", timeout=5).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")
