"""The queue of requests to providers: recorded in the transaction that makes them necessary, sent afterwards.

Apart from the rooms: the queue itself, below the handlers and below everybody who asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from marketplace.core.database.db import AnyRow, after_commit, fetch
from marketplace.core.http.access import demand_money_scope
from marketplace.core.queues.work_queue import Queue, table_of, wake
from marketplace.kit.clock import now
from marketplace.payments.models import ProviderCall

LEASE = timedelta(seconds=60)
RESERVED_FOR = timedelta(seconds=5)
FOR_EVER = 2**31  # money in between is never given up

CALLS_TABLE = table_of(ProviderCall)
CALLS = Queue("provider_calls", CALLS_TABLE, lease=lambda row: LEASE, attempts=lambda row: FOR_EVER, batch=1)
Record = Callable[[], object]
Handler = Callable[[AnyRow], Record | None]
HANDLERS: dict[str, Handler] = {}
_reserved: ContextVar[bool] = ContextVar("reserved", default=False)
_insert = insert(ProviderCall).returning(ProviderCall.id)


def handles(*kinds: str) -> Callable[[Handler], Handler]:
    """Decorator: the handler of these kinds, run outside any transaction; it returns a function that records the answer
    inside one, or None where nothing is left to do."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def ask(
    kind: str,
    subject: str,
    subject_id: int,
    *,
    key: str,
    method: str | None = None,
    not_before: datetime | None = None,
) -> int:
    """Record a request in the running transaction, to be sent at once or `not_before` a time, and return its id; a
    known key gives the id of the first one."""
    demand_money_scope()
    known = fetch(CALLS_TABLE.select().with_only_columns(CALLS_TABLE.c.id).where(CALLS_TABLE.c.key == key))
    if known:
        return int(known[0].id)
    after_commit(wake)
    moment = now()
    due = max(moment + RESERVED_FOR if _reserved.get() else moment, not_before or moment)
    row: dict[str, Any] = {"kind": kind, "subject": subject, "subject_id": subject_id, "key": key, "method": method}
    return int(fetch(_insert.values(**row, created_at=moment, due_at=due, attempts=0))[0].id)


def ask_anew(kind: str, subject: str, subject_id: int, *, key: str) -> None:
    """Record a request that may be needed more than once: none while one whose key begins so is open, and one under a
    numbered key after those that ended."""
    rows = CALLS_TABLE.c
    mine = CALLS_TABLE.select().with_only_columns(rows.done_at).where(rows.subject == subject)
    earlier = fetch(mine.where(rows.subject_id == subject_id, rows.key.startswith(key, autoescape=True)))
    if all(row.done_at is not None for row in earlier):
        ask(kind, subject, subject_id, key=f"{key}-{len(earlier)}" if earlier else key)


@contextmanager
def reserved() -> Iterator[None]:
    """Requests recorded inside are due 5 s later for the background, as the caller sends them itself."""
    token = _reserved.set(True)
    try:
        yield
    finally:
        _reserved.reset(token)


def waiting(subject: str, subject_id: int) -> list[int]:
    """Ids of the open requests about a subject, in the order they were recorded."""
    rows = CALLS_TABLE.c
    mine = CALLS_TABLE.select().with_only_columns(rows.id).where(rows.subject == subject)
    open_ = mine.where(rows.subject_id == subject_id, rows.done_at.is_(None), rows.dead_at.is_(None))
    return [row.id for row in fetch(open_.order_by(rows.id))]
