"""Columns renamed by migration 0028: rows, indexes and constraints are the same, up and down."""

from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from marketplace.core.database.db import db
from tests.conftest import make_app

BEFORE, AFTER = "0027", "0028"
OLD_NAMES = {"intended_outcome": "wish", "active_reference": "open_for", "next_poll_at": "ask_at"}
TABLES = ("payments", "subscriptions", "disputes", "verifications", "ledger_breaks")
BREAK = """INSERT INTO ledger_breaks (kind, subject, open_for, currency, ours_minor, theirs_minor, found_at, seen_at)
VALUES ('provider', 'x', 'provider:x', 'EUR', 7, 0, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')"""


@pytest.fixture
def past(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on an empty database of its own."""
    if database == "sqlite":
        return make_app(f"sqlite:///{tmp_path / 'past.db'}")
    server, _, name = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}_names"')
    return make_app(f"{server}/{name}_names")


def test_renaming_columns_keeps_rows_indexes_and_constraints(past: Flask) -> None:
    with past.app_context():
        flask_migrate.upgrade(revision=BEFORE)
        with db.engine.begin() as connection:
            connection.execute(text(BREAK))
        before, row = _schema(), _break()

        for _ in range(2):
            flask_migrate.upgrade(revision=AFTER)
            now, kept = _schema(), _break()
            assert (_as_before(now), _as_before(kept)) == (before, row)
            assert "open_for" not in kept
            flask_migrate.downgrade(revision=BEFORE)
            assert (_schema(), _break()) == (before, row)
        db.session.remove()
        db.engine.dispose()


def _as_before(value: Any) -> Any:
    """The same with the columns' names of before."""
    if isinstance(value, dict):
        return {_as_before(key): _as_before(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_before(one) for one in value]
    return OLD_NAMES.get(value, value) if isinstance(value, str) else value


def _schema() -> dict[str, Any]:
    """Of each table its columns, indexes and constraints."""
    found = inspect(db.engine)
    return {
        table: {
            "columns": [[c["name"], str(c["type"]), c["nullable"]] for c in found.get_columns(table)],
            "indexes": {i["name"]: [i["column_names"], bool(i["unique"])] for i in found.get_indexes(table)},
            "unique": {u["name"]: u["column_names"] for u in found.get_unique_constraints(table)},
            "checks": {c["name"]: c["sqltext"] for c in found.get_check_constraints(table)},
            "foreign": {f["name"]: f["constrained_columns"] for f in found.get_foreign_keys(table)},
        }
        for table in TABLES
    }


def _break() -> dict[str, Any]:
    with db.engine.connect() as connection:
        return dict(connection.execute(text("SELECT * FROM ledger_breaks")).mappings().one())
