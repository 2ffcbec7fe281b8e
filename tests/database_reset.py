"""Between two tests: the auditor, and a database as it was migrated; both ask only tables that have rows."""

import re
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Connection, Row, Table, TextClause, delete, insert, select, text, update
from sqlalchemy.sql import visitors

from marketplace.catalog.models import Category
from marketplace.catalog.queries import tree
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.core.lists.vocabulary import vocabulary

NEVER_CHANGED = ("audit_log", "ledger_transfers")


class Nothing:
    """The result of a statement over empty tables."""

    def all(self) -> list[Row[Any]]:
        """No rows."""
        return []

    def __iter__(self) -> Iterator[Row[Any]]:
        """No rows."""
        return iter(())


class FilledOnly:
    """A connection that does not ask what only empty tables would answer."""

    def __init__(self, connection: Connection, filled: Set[str]) -> None:
        self._connection, self._filled = connection, filled

    def execute(self, statement: Any, *parameters: Any) -> Any:
        """A statement that names no table at all is always run."""
        names = _names_in(statement.text) if isinstance(statement, TextClause) else _tables_of(statement)
        if names and names.isdisjoint(self._filled):
            return Nothing()
        return self._connection.execute(statement, *parameters)


@contextmanager
def filled_only(filled: Set[str]) -> Iterator[None]:
    """Reads in here are of these tables: all others are known to be empty. Over empty tables alone the auditor finds
    nothing (tests/cli/test_audit_of_nothing.py), so that of its 130 statements most need not be run after a test."""
    connect = db.session.connection
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db.session, "connection", lambda *args, **more: FilledOnly(connect(*args, **more), filled))
        yield


@cache
def _names_in(statement: str) -> frozenset[str]:
    return frozenset(_word.findall(statement)) & Base.metadata.tables.keys()


def _tables_of(statement: Any) -> frozenset[str]:
    return frozenset(part.name for part in visitors.iterate(statement) if isinstance(part, Table))


def filled_tables() -> frozenset[str]:
    """The tables that have rows, in one statement."""
    return frozenset(row.name for row in fetch(_filled_statement()))


@cache
def _filled_statement() -> TextClause:
    return text(" UNION ALL ".join(map(_if_filled, Base.metadata.tables)))


def _if_filled(table: str) -> str:
    return f"SELECT '{table}' AS name WHERE EXISTS (SELECT 1 FROM \"{table}\")"


@cache
def _lower_tables_last() -> tuple[Table, ...]:
    """SQLAlchemy sorts them anew each time it is asked."""
    return tuple(reversed(Base.metadata.sorted_tables))


def shipped_categories() -> list[Row[Any]]:
    """The categories as they are now."""
    return fetch(_categories)


def empty(shipped: list[Row[Any]]) -> None:
    """Take out what the test wrote; the shipped categories stay as they were."""
    filled = filled_tables()
    in_transaction(lambda: _clear(shipped, filled))
    tree().forget()
    vocabulary().forget()


def _clear(shipped: list[Row[Any]], filled: Set[str]) -> None:
    if db.engine.dialect.name == "postgresql":
        execute(text("SET LOCAL statement_timeout = '60s'"))
    with _unguarded([name for name in NEVER_CHANGED if name in filled]):
        for table in _lower_tables_last():
            if table.name in filled and table.name != "categories":
                execute(delete(table))
    if shipped_categories() != shipped:
        execute(update(Category).values(parent_key=None))
        execute(delete(Category))
        rows = [dict(row._mapping) for row in shipped]
        execute(insert(Category), sorted(rows, key=lambda row: row["parent_key"] is not None))


@contextmanager
def _unguarded(tables: list[str]) -> Iterator[None]:
    """Without the triggers that keep what is never changed, for this transaction."""
    if not tables:
        yield
        return
    if db.engine.dialect.name == "postgresql":
        execute(text(";".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables)))
        yield
        execute(text(";".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables)))
        return
    names = ", ".join(f"'{table}'" for table in tables)
    triggers = fetch(text(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({names})"))
    for trigger in triggers:
        execute(text(f"DROP TRIGGER {trigger.name}"))
    yield
    for trigger in triggers:
        execute(text(trigger.sql))


_word = re.compile(r"\w+")
_categories = select(Category.__table__)
