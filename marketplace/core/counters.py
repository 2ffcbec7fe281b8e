"""Counters that may be a second late on disk but never late in an answer of this process.

A view of a page is worth neither a write lock nor an fsync in the reader's request, so it is
added up in memory and written once a second. A killed process loses at most that second of views.
"""

import threading
from collections import Counter

from sqlalchemy import BigInteger, bindparam, column, table, update

from marketplace.core.db import execute, in_transaction

_pending: Counter[tuple[str, str, int]] = Counter()
_lock = threading.Lock()


def count(table_name: str, column_name: str, row_id: int) -> None:
    """Add one."""
    with _lock:
        _pending[table_name, column_name, row_id] += 1


def pending(table_name: str, column_name: str, row_id: int) -> int:
    """What this process has not written yet."""
    return _pending.get((table_name, column_name, row_id), 0)


def flush() -> None:
    """Write and forget what has been added up; put back what could not be written."""
    with _lock:
        taken = dict(_pending)
        _pending.clear()
    if not taken:
        return
    try:
        in_transaction(lambda: _write(taken))
    except Exception:
        with _lock:
            _pending.update(taken)
        raise


def _write(taken: dict[tuple[str, str, int], int]) -> None:
    for (table_name, column_name, row_id), amount in sorted(taken.items()):
        counter = column(column_name, BigInteger)
        target = table(table_name, column("id", BigInteger), counter)
        add = update(target).where(target.c.id == bindparam("row_id"))
        execute(add.values({column_name: counter + bindparam("amount")}), {"row_id": row_id, "amount": amount})
