"""The chat's processes, started and killed as in production: on SQLite one for everything, on Postgres one
for REST, one for the sockets under gevent, and a Redis between them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
import psycopg
import requests
from flask import Flask

import config
from marketplace.core.database.db import db
from tests.conftest import SETTINGS, make_app
from tests.servers.redis import URL, redis_server
from tests.servers.waiting import free_port, until

QUIET = {"RATE_LIMITS": "0", "LOG_LEVEL": "WARNING", "THREADS": "12"}
TALKERS = int(os.environ.get("CHAT_SOCKETS", "40")) + 60  # a socket keeps a thread where sockets are in threads
HTTP = requests.Session()
HTTP.trust_env = False
HTTP.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=50))


class Chat:
    """The processes on one database; `rest` and `sockets` are the addresses clients use."""

    def __init__(self, url: str, folder: Path, *, background: bool = False, **settings: str) -> None:
        self.url, self.log_path = url, folder / "chat.log"
        self._log = self.log_path.open("ab")
        self._ports = {name: free_port() for name in ("rest", "sockets", "redis")}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        common = {**SETTINGS, **QUIET, "DATABASE_URL": url, "UPLOADS_DIR": str(folder / "files"), **settings}
        loaded = "wsgi:app" if background else "marketplace.app:create_app()"
        one = ["--worker-class", "gthread", "--threads"]
        self._plans: dict[str, tuple[list[str], dict[str, str]]]
        if url.startswith("sqlite"):
            self._ports["sockets"] = self._ports["rest"]
            threading = {**common, "SOCKETS": "threading"}
            self._plans = {"rest": (self._gunicorn("rest", loaded, *one, str(TALKERS)), threading)}
        else:
            common["REDIS_URL"] = URL.format(port=self._ports["redis"])
            elsewhere, gevent = {**common, "SOCKETS": "elsewhere"}, {**common, "SOCKETS": "gevent"}
            under_gevent = self._gunicorn("sockets", "marketplace.app:create_app()", "--worker-class", "gevent")
            self._plans = {
                "redis": (self._redis(), {}),
                "rest": (self._gunicorn("rest", loaded, *one, "12"), elsewhere),
                "sockets": (under_gevent, gevent),
            }
        self.rest, self.sockets = (f"http://127.0.0.1:{self._ports[name]}" for name in ("rest", "sockets"))

    @property
    def names(self) -> list[str]:
        """The processes there are."""
        return list(self._plans)

    def start(self, name: str) -> None:
        """One of them, in a session of its own."""
        command, settings = self._plans[name]
        self._running[name] = subprocess.Popen(
            command,
            cwd=config.ROOT,
            env={**os.environ, **settings},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """As a power cut would, its children too."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_all(self) -> None:
        """Until they answer."""
        for name in self.names:
            self.start(name)
        for name in self.names:
            self.wait_for(name)

    def wait_for(self, name: str) -> None:
        """Until it answers."""
        if name == "redis":
            until("redis", lambda: socket.create_connection(("127.0.0.1", self._ports[name]), 5).close() is None)
        else:
            address = f"http://127.0.0.1:{self._ports[name]}/health"
            until(f"{name}: {self.said()[-1500:]}", lambda: HTTP.get(address, timeout=5).ok)

    def stop(self) -> None:
        """All of them."""
        for name in list(self._running):
            self.kill(name)
        self._log.close()

    def said(self) -> str:
        """Everything the processes wrote."""
        return self.log_path.read_text(errors="replace")

    def cut_database(self) -> int:
        """End every connection to the Postgres database, as a restart of the server does; how many there were."""
        name = self.url.rpartition("/")[2]
        ending = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND usename IS NOT NULL"
        )
        with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as connection:
            found = connection.execute(ending, [name]).fetchone()
        return int(found[0]) if found else 0

    def _gunicorn(self, name: str, loaded: str, *how: str) -> list[str]:
        bind = ["--bind", f"127.0.0.1:{self._ports[name]}", "--workers", "1", "--log-level", "warning"]
        return [sys.executable, "-m", "gunicorn", *how, *bind, "--graceful-timeout", "1", loaded]

    def _redis(self) -> list[str]:
        options = f"--port {self._ports['redis']} --bind 127.0.0.1 --loglevel warning --save"
        return [str(redis_server()), *options.split(), ""]


@contextmanager
def fresh_database(kind: str, folder: Path, name: str) -> Iterator[tuple[str, Flask]]:
    """A migrated database for one story, and an application to look into it with."""
    server = os.environ["TEST_DATABASE_URL"]
    url = f"sqlite:///{folder}/chat.db"
    if kind == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = f"{server.rpartition('/')[0]}/{name}"
    app = make_app(url, THREADS="4")
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    yield url, app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    if kind == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
