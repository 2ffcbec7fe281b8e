"""Which SQLite runs, and how its connections are set up.

Releases 3.7.0 to 3.51.2 can lose committed rows when a checkpoint meets a commit that resets the log ("WAL-reset bug",
https://sqlite.org/wal.html). The wheel of pysqlite3 carries a newer one; where there is no wheel, the interpreter's
runs. Two copies of SQLite in one process must never open the same file (closing it in one drops the locks of the
other), so everything takes `driver` from here.
"""

import math
from importlib import import_module
from types import ModuleType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

MENDED = (3, 51, 3)
MENDED_BRANCHES = ((3, 44, 6), (3, 50, 7))  # older branches that were given the correction
PRAGMAS = (
    *("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"),
    "secure_delete=ON",  # what was erased is overwritten in the file too; some builds do so by themselves
)
READ_SCHEMA = "SELECT 1 FROM sqlite_master LIMIT 1"
"""Taken as the first statement, one whose trigger writes into a search index (FTS5) fails with "no such table" on a
connection that has not seen yet that the schema was changed by another, as a migration does: SQLite drops its old
picture of the schema while that statement is compiled and does not read the new one. Any plain statement does."""
MAY_LOSE_ROWS = (
    "SQLite {version} runs here. Releases before 3.51.3 may lose committed rows when two connections write and"
    " checkpoint at the same moment. Install the package pysqlite3 (its wheel carries a newer SQLite), run a Python"
    " that comes with SQLite 3.51.3 or newer, or use Postgres."
)


def _driver() -> ModuleType:
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:  # no wheel for this platform, or one that does not load here
        return import_module("sqlite3.dbapi2")


driver = _driver()
"""The DB-API module every connection to SQLite is made by; its exceptions are the ones that are raised."""


def warning(version: tuple[int, ...] | None = None) -> str | None:
    """What whoever runs this should know of the SQLite that runs; None where there is nothing to say."""
    version = version or driver.sqlite_version_info
    if version >= MENDED or any(version[:2] == branch[:2] and version >= branch for branch in MENDED_BRANCHES):
        return None
    return MAY_LOSE_ROWS.format(version=".".join(map(str, version)))


def prepare(engine: Engine) -> None:
    """WAL, foreign keys, one writer at a time that waits, autocommit for reads."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _add_missing_maths(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.connection.cursor().execute(READ_SCHEMA).fetchall()


def _add_missing_maths(connection: Any) -> None:
    """Some builds of SQLite come without the trigonometry that distances need."""
    try:
        connection.execute("SELECT radians(1), sin(1), cos(1), asin(1), sqrt(1)")
    except driver.OperationalError:
        for name in ("radians", "sin", "cos", "asin", "sqrt"):
            connection.create_function(name, 1, getattr(math, name), deterministic=True)
