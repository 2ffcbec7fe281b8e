"""Counters that may be a second late on disk but never late in an answer of this process.

A view of a page is worth neither a write lock nor an fsync in the reader's request, so it is
added up in memory and written once a second. A killed process loses at most that second of views.
"""

import threading
from collections import Counter
from functools import partial
from itertools import groupby

from sqlalchemy import BigInteger, bindparam, column, table, update

from marketplace.core.database.db import execute, in_transaction

BATCH = 200
_pending: Counter[tuple[str, str, int]] = Counter()
_lock = threading.Lock()


def count(table_name: str, column_name: str, row_id: int) -> None:
    """Add one to a column of a row, in memory; `flush` writes it."""
    with _lock:
        _pending[table_name, column_name, row_id] += 1


def pending(table_name: str, column_name: str, row_id: int) -> int:
    """What this process has counted for a column of a row and not written yet."""
    return _pending.get((table_name, column_name, row_id), 0)


def flush() -> None:
    """Write and forget what has been added up, in small transactions; put back what could not be written."""
    with _lock:
        taken = sorted(_pending.items())
        _pending.clear()
    while taken:
        part, rest = taken[:BATCH], taken[BATCH:]
        try:
            in_transaction(partial(_write, part))
        except Exception:
            with _lock:
                _pending.update(dict(taken))
            raise
        taken = rest


def _write(part: list[tuple[tuple[str, str, int], int]]) -> None:
    """Rows in sorted order, so that two processes wait for each other and never in a circle."""
    for (table_name, column_name), rows in groupby(part, key=lambda item: item[0][:2]):
        counter = column(column_name, BigInteger)
        target = table(table_name, column("id", BigInteger), counter)
        add = update(target).where(target.c.id == bindparam("row_id"))
        amounts = [{"row_id": row_id, "amount": amount} for (_, _, row_id), amount in rows]
        execute(add.values({column_name: counter + bindparam("amount")}), amounts)
