"""A database in which some people have lived, so many times over: each time with people and numbers of its own."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint, insert, select, text, update

from marketplace.cli.copy_database import set_sequences
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.payments.models import ReceiptSeries

STEP = 1000  # more than there are rows of a table
AT_ONCE = 50  # copies in one statement
NOT_COPIED = {"categories", "known_words", "jobs", "receipt_series", "idempotency_keys"}  # of all, or of the process
NOT_COPIED |= {"fake_things", "fake_lines", "fake_notices"}  # what the provider knows
NUMBERED = re.compile(r"\b([a-z_]+[:/])(\d+)\b")  # payment:1, escrow/3


def multiply(times: int) -> None:
    """Write so many copies of every row, in a transaction for some of them; receipts go on in their series."""
    lived = {table: fetch(select(table)) for table in Base.metadata.sorted_tables if table.name not in NOT_COPIED}
    db.session.rollback()
    issued = {row.name: row.last for row in fetch(select(ReceiptSeries.name, ReceiptSeries.last))}
    db.session.rollback()
    for first in range(1, times + 1, AT_ONCE):
        copies = range(first, min(first + AT_ONCE, times + 1))
        in_transaction(lambda copies=copies: _write(lived, copies, issued))  # type: ignore[misc]
    in_transaction(lambda: execute(update(ReceiptSeries).values(last=ReceiptSeries.last * (times + 1))))
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        set_sequences(connection)
        connection.execute(text("ANALYZE"))


def _write(lived: dict[Table, Any], copies: range, issued: dict[str, int]) -> None:
    for table, rows in lived.items():
        if rows:
            execute(insert(table), [row for copy in copies for row in _copied(table, rows, copy, issued)])


def _copied(table: Table, rows: Any, copy: int, issued: dict[str, int]) -> Iterator[dict[str, Any]]:
    for row in rows:
        values = {
            column.name: _value(column, getattr(row, column.name), copy) for column in table.c if not column.computed
        }
        if table.name == "receipts":
            values["number"] = row.number + copy * issued[row.series]
        yield values


def _value(column: Column[Any], value: Any, copy: int) -> Any:
    if isinstance(value, dict | list):
        return _inside(value, copy)
    if isinstance(value, int) and not isinstance(value, bool) and _names_a_row(column):
        return value + copy * STEP
    if not isinstance(value, str) or (column.foreign_keys and not _is_copied(column)):
        return value
    told = _renumbered(value, copy)
    return f"{told}~{copy}" if told == value and _is_alone(column) else told


def _inside(value: Any, copy: int) -> Any:
    """What stands in JSON: ids by their names, references by their form."""
    if isinstance(value, list):
        return [_inside(one, copy) for one in value]
    if isinstance(value, dict):
        return {
            name: one + copy * STEP if name.endswith("_id") and type(one) is int else _inside(one, copy)
            for name, one in value.items()
        }
    return _renumbered(value, copy) if isinstance(value, str) else value


def _renumbered(value: str, copy: int) -> str:
    return NUMBERED.sub(lambda found: f"{found[1]}{int(found[2]) + copy * STEP}", value)


def _names_a_row(column: Column[Any]) -> bool:
    if column.foreign_keys:
        return _is_copied(column)
    return isinstance(column.type, Integer) and (
        column.name == "id" or column.name.endswith("_id") or _is_alone(column)
    )


def _is_copied(column: Column[Any]) -> bool:
    return all(key.column.table.name not in NOT_COPIED for key in column.foreign_keys)


def _is_alone(column: Column[Any]) -> bool:
    """Whether no two rows have the same: the last column of something unique."""
    table = column.table
    unique = [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique += [list(index.columns) for index in table.indexes if index.unique]
    unique += [list(table.primary_key.columns)] if isinstance(column.type, String) else []
    return any(columns[-1] is column and not any(map(_names_a_row, columns[:-1])) for columns in unique)
