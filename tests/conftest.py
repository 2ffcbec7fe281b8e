"""Real servers once a run, both databases under every test, and the auditor after each."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
import socketio  # noqa: F401 whole: the application loads its server alone, and tests need its client
from flask import Flask
from sqlalchemy import event as sqlalchemy_event

import config
from marketplace.app import create_app
from marketplace.cli.audit import findings
from marketplace.core.database import counters
from marketplace.core.database.db import db
from marketplace.core.database.encryption import derived_key, rotate
from marketplace.core.lists.vocabulary import Vocabulary
from marketplace.kit.clock import now
from marketplace.kit.errors import Problem
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service
from tests.database_reset import empty, filled_only, filled_tables, shipped_categories
from tests.factories.people import Person, sign_up
from tests.servers.postgres import start_postgres
from tests.servers.redis import start_redis
from tests.servers.server import Server, ServerUnavailable

pytest_plugins = ("tests.outside", "tests.scheduling", "tests.url_map_cache", "tests.selection")
DATABASES = ("sqlite", "postgres")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SETTINGS = {
    "MARKETPLACE_ENV": "testing",
    "PASSWORD_METHOD": "pbkdf2:sha256:1",
    "RATE_LIMITS": "0",
    "LIST_CACHE_SECONDS": "0",
    "LOG_LEVEL": "CRITICAL",
    "THREADS": "34",
}
MEMORY = Path("/dev/shm")  # processes die in the tests, computers do not: nobody need wait for a disk
FILES = Path(tempfile.mkdtemp(prefix="marketplace-files-", dir=MEMORY if MEMORY.is_dir() else None))
atexit.register(shutil.rmtree, FILES, ignore_errors=True)
_servers: list[Server] = []
_made: list[Flask] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start Postgres and Redis in the process that starts the workers; they read the addresses."""
    if hasattr(config, "workerinput") or config.option.fast:
        return
    try:
        for name, start in (("TEST_DATABASE_URL", start_postgres), ("TEST_REDIS_URL", start_redis)):
            server = start()
            _servers.append(server)
            os.environ[name] = server.url
    except ServerUnavailable as error:
        pytest.exit(f"The tests need a real Postgres and Redis. {error}", returncode=3)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    while _servers:
        _servers.pop().stop()


@pytest.fixture(scope="session")
def urls(worker_id: str, pytestconfig: pytest.Config) -> dict[str, str]:
    """A database of each kind for this worker alone."""
    folder = FILES / "database"
    folder.mkdir()
    sqlite = {"sqlite": f"sqlite:///{folder}/marketplace.db"}
    if pytestconfig.option.fast:
        return sqlite
    server = os.environ["TEST_DATABASE_URL"]
    name = f"marketplace_{os.getpid()}_{worker_id}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return {**sqlite, "postgres": server.rpartition("/")[0] + f"/{name}"}


@pytest.fixture(scope="session")
def apps(urls: dict[str, str]) -> Iterator[dict[str, Flask]]:
    """One migrated application a database."""
    made = {kind: make_app(url) for kind, url in urls.items()}
    for app in made.values():
        with app.app_context():
            flask_migrate.upgrade()
    _made.clear()
    yield made
    for app in made.values():
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def make_app(url: str, **settings: str) -> Flask:
    """An application on this database with the tests' settings and these."""
    app = create_app(config.load({**SETTINGS, "UPLOADS_DIR": str(FILES / "uploads"), "DATABASE_URL": url, **settings}))
    app.extensions["vocabulary"] = Vocabulary(patience=0.0)  # no background reads here what a test writes
    _made.append(app)
    return app


def disconnect() -> None:
    """The applications a test made keep no connections: Postgres has not so many."""
    for app in _made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
    _made.clear()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Which database this test runs on; every test that uses the application runs on both."""
    return str(request.param)


@pytest.fixture
def app(apps: dict[str, Flask], database: str, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application, emptied and audited after the test."""
    with _left_in_order(apps[database], request) as app:
        yield app


@pytest.fixture
def both(apps: dict[str, Flask], request: pytest.FixtureRequest) -> Iterator[dict[str, Flask]]:
    """Both applications in one test, for what is expensive to make and can be asked of each."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(_left_in_order(app, request)) for kind, app in apps.items()}


@contextmanager
def _left_in_order(app: Flask, request: pytest.FixtureRequest) -> Iterator[Flask]:
    with app.app_context():
        shipped = shipped_categories()
    yield app
    disconnect()
    is_control = request.node.get_closest_marker("control") is not None
    with app.app_context():
        try:
            found = _audited()
        except Problem as error:  # books that are wrong enough refuse what is still to be done
            if not is_control:
                raise
            found = [error]
        finally:
            empty(shipped)
            db.session.remove()
    if is_control:
        assert found, "the guard was off and the books were not even wrong"
    else:
        assert found == []


def _audited() -> list[Any]:
    """What is wrong once everything that was asked of a provider is through."""
    db.session.rollback()
    counters.flush()
    filled = filled_tables()
    if not filled.isdisjoint(queue.table.name for queue in (provider_requests_queue.CALLS, webhooks_service.EVENTS)):
        while sum((provider_requests_handlers.call_due(), webhooks_service.read_due())):
            pass
        filled = filled_tables()
    with filled_only(filled):
        return [*findings(), *reconciliation_service.compare(BEGINNING, now() + timedelta(days=1))]


@pytest.fixture
def with_keys(app: Flask) -> Iterator[Callable[..., Flask]]:
    """The application on the same database with these encryption keys; in the end all is as the auditor can read it."""
    used: list[str] = []

    def make(*keys: str, **settings: str) -> Flask:
        used.extend(keys)
        return make_app(app.config["DATABASE_URL"], ENCRYPTION_KEYS=",".join(keys), **settings)

    yield make
    with make(derived_key(app.config["SECRET_KEY"]), *used).app_context():
        rotate()
        db.session.remove()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """Inside the application, for tests of services and queries."""
    with app.app_context():
        yield app


@pytest.fixture
def anna(app: Flask) -> Person:
    """Somebody signed in."""
    return sign_up(app, "anna")


@pytest.fixture
def juris(app: Flask) -> Person:
    """Somebody else signed in."""
    return sign_up(app, "juris")


@pytest.fixture
def stranger(app: Flask) -> Person:
    """A third person, who has to do with nothing."""
    return sign_up(app, "stranger")


@pytest.fixture
def admin(app: Flask) -> Person:
    """An administrator."""
    return sign_up(app, "admin", role="admin")


@pytest.fixture
def anybody(app: Flask) -> Person:
    """Nobody signed in."""
    return Person(app)


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement the application runs, to be counted."""
    with recorded(app) as seen:
        yield seen


@contextmanager
def recorded(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement this application runs meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    yield seen
    sqlalchemy_event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def set_a() -> Path:
    """The folder of real data, where it is."""
    folder = config.ROOT.parent / "shared" / "data" / "A"
    if not folder.is_dir():
        pytest.skip("set A is not here")
    return folder
