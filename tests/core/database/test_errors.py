"""Whatever a database answers in trouble is a 503 that says when to come back."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from marketplace.core.database import sqlite
from marketplace.core.database.db import ATTEMPTS, as_problem, db, execute, fetch, in_transaction
from marketplace.core.database.errors import POSTGRES, SQLITE, trouble_of
from marketplace.kit.errors import Busy
from tests.conftest import make_app
from tests.factories.people import Person

STATES = (
    *("08000", "08003", "08006", "08P01", "25006", "25P03", "25P04", "40001", "40003", "40P01"),
    *("53000", "53100", "53200", "53300", "53400", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P05"),
    *("58000", "58030", "F0001"),
)
OURS = ("22012", "25P02", "42601", "54000", "54001", "55000", "XX000", "XX001")
LISTINGS = "FROM listings"
LISTING = {"title": "Bicycle", "description": "Seven gears.", "price": 120, "category": "bicycles"}
BOUND = 60


def raising(state: str) -> str:
    """A statement that Postgres answers with this code."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END $$"


@pytest.fixture
def postgres(apps: dict[str, Flask]) -> Iterator[None]:
    """Inside the application on Postgres."""
    with apps["postgres"].app_context():
        yield
        db.session.remove()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Flask]:
    """An application on a small file of its own."""
    app = make_app(f"sqlite:///{tmp_path / 'own' / 'x.db'}")
    with app.app_context():
        in_transaction(lambda: execute(text("CREATE TABLE things (word TEXT)")))
        yield app
        db.session.remove()
        db.engine.dispose()


def counted(statement: str, before: Callable[[], Any] = lambda: None) -> int:
    """How often a transaction with this statement was tried until it was a 503."""
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        before()
        execute(text(statement))

    with pytest.raises(Busy) as refusal:
        in_transaction(work)
    assert int(refusal.value.headers["Retry-After"]) >= 1
    return len(tries)


@pytest.mark.parametrize("state", STATES)
def test_every_trouble_of_postgres_is_a_503(postgres: None, state: str) -> None:
    trouble = POSTGRES.get(state) or POSTGRES[state[:2]]
    assert counted(raising(state)) == (ATTEMPTS if trouble.again else 1)


@pytest.mark.parametrize("state", OURS)
def test_a_mistake_of_ours_is_no_trouble(postgres: None, state: str) -> None:
    with pytest.raises(DBAPIError):
        in_transaction(lambda: execute(text(raising(state))))


def test_a_transaction_that_was_idle_for_too_long(postgres: None) -> None:
    def idle() -> None:
        pid = fetch(text("SELECT pg_backend_pid()"))[0][0]
        execute(text("SET LOCAL idle_in_transaction_session_timeout = 1"))
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as other:
            there = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
            until = time.monotonic() + BOUND
            while other.execute(there, (pid,)).fetchone() and time.monotonic() < until:
                pass

    assert counted("SELECT 1", idle) == 1
    assert fetch(text("SELECT 1"))[0][0] == 1


def test_a_connection_that_is_cut(postgres: None) -> None:
    assert counted("SELECT pg_terminate_backend(pg_backend_pid())") == 1


@pytest.mark.parametrize("code", SQLITE)
def test_every_trouble_of_sqlite_is_a_503(code: int) -> None:
    for extended in (code, code | 2 << 8):
        error = sqlite.driver.OperationalError("trouble")
        error.sqlite_errorcode = extended
        assert isinstance(as_problem(OperationalError("", {}, error)), Busy)


def test_a_disk_that_is_full(file: Flask) -> None:
    def fill() -> None:
        execute(text(f"PRAGMA max_page_count = {fetch(text('PRAGMA page_count'))[0][0]}"))

    assert counted("INSERT INTO things VALUES (hex(zeroblob(100000)))", fill) == 1


def test_a_file_that_only_reads(file: Flask) -> None:
    assert counted("INSERT INTO things VALUES ('x')", lambda: execute(text("PRAGMA query_only = 1"))) == 1


def test_a_statement_that_is_interrupted(file: Flask) -> None:
    def interrupt() -> None:
        raw: Any = db.session.connection().connection.dbapi_connection
        once = iter([1])
        raw.set_progress_handler(lambda: next(once, 0), 1)

    assert counted("SELECT count(*) FROM things", interrupt) == 1


def test_a_file_whose_folder_is_gone(file: Flask) -> None:
    path = Path(db.engine.url.database or "")
    db.session.remove()
    db.engine.dispose()
    path.parent.rename(path.parent.with_name("elsewhere"))
    answer = file.test_client().get("/api/listings")
    assert (answer.status_code, answer.json["code"]) == (503, "busy")


def test_two_that_write_at_once(file: Flask) -> None:
    other = sqlite.driver.connect(db.engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with db.engine.connect() as own:
        own.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(OperationalError) as found:
            own.exec_driver_sql("INSERT INTO things VALUES ('x')")
    other.close()
    trouble = trouble_of(found.value)
    assert trouble is not None
    assert trouble.again


@contextmanager
def replaced(app: Flask, part: str, statement: str) -> Iterator[None]:
    """Meanwhile statements that hold `part` are this one."""

    def replace(_c: Connection, _cursor: Any, sent: str, parameters: Any, _x: Any, _m: bool) -> tuple[str, Any]:
        return (statement, ()) if part in sent else (sent, parameters)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", replace, retval=True)
    yield
    event.remove(engine, "before_cursor_execute", replace)


@pytest.mark.parametrize(("state", "status"), [("25P03", 503), ("58030", 503), ("08006", 503), ("XX000", 500)])
def test_a_client_is_told_when_to_come_back(app: Flask, database: str, anna: Person, state: str, status: int) -> None:
    if database == "sqlite":
        statement = "SELECT abs(-9223372036854775808)" if status == 500 else "ATTACH '/nowhere/at/all.db' AS x"
    else:
        statement = raising(state)
    own = make_app(app.config["DATABASE_URL"], PROPAGATE_EXCEPTIONS="")
    own.testing = own.config["PROPAGATE_EXCEPTIONS"] = False
    with replaced(own, LISTINGS, statement):
        read = own.test_client().get("/api/listings")
    with replaced(own, "INSERT INTO listings", statement):
        written = Person(own, token=anna.token).post("/api/listings", json=LISTING)
    for answer in (read, written):
        assert answer.status_code == status
        assert answer.content_type == "application/problem+json"
        assert ("Retry-After" in answer.headers) == (status == 503)
