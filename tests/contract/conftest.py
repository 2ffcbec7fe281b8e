"""The application behind a real socket, and people whose browsers talk to it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.serving import WSGIRequestHandler, make_server

from marketplace.auth.models import User
from marketplace.core.database.db import Base, execute, fetch, in_transaction
from tests.contract.client import Browser


class QuietHandler(WSGIRequestHandler):
    """Keeps connections as browsers do, and the requests out of the failures' output."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


Snapshot = Callable[[], dict[str, list[Any]]]


@pytest.fixture(scope="session")
def addresses(apps: dict[str, Flask]) -> Iterator[dict[str, str]]:
    """Both applications served on loopback, on ports the system chose."""
    servers = {
        kind: make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
        for kind, app in apps.items()
    }
    for server in servers.values():
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield {kind: f"http://127.0.0.1:{server.server_port}" for kind, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture
def live(app: Flask, addresses: dict[str, str], database: str) -> str:
    """The address of the served application."""
    assert app
    return addresses[database]


@pytest.fixture
def anybody(app: Flask, live: str) -> Browser:
    """Nobody signed in."""
    return Browser(app, address=live)


@pytest.fixture
def anna(anybody: Browser) -> Browser:
    """Somebody signed in."""
    return anybody.signed_in("anna")


@pytest.fixture
def juris(anybody: Browser) -> Browser:
    """Somebody else signed in."""
    return anybody.signed_in("juris")


@pytest.fixture
def stranger(anybody: Browser) -> Browser:
    """A third person, who has to do with nothing."""
    return anybody.signed_in("stranger")


@pytest.fixture
def promote(app: Flask) -> Callable[[Browser], Browser]:
    """Makes an administrator of somebody."""

    def make_admin(person: Browser) -> Browser:
        with app.app_context():
            in_transaction(lambda: execute(update(User).where(User.id == person.id).values(role="admin")))
        return person

    return make_admin


@pytest.fixture
def stored(app: Flask) -> Snapshot:
    """Every row of every table, to compare before and after."""

    def everything() -> dict[str, list[Any]]:
        with app.app_context():
            tables = Base.metadata.sorted_tables
            return {t.name: [tuple(row) for row in fetch(select(t).order_by(*t.primary_key))] for t in tables}

    return everything
