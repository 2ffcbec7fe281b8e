"""Facts wait here in the transaction that made them true; a relay tells the subscribers, at least once."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from flask import Flask
from sqlalchemy import JSON, Index, String, Text, bindparam, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base, after_commit, execute, fetch, in_transaction
from marketplace.events.base import Event
from marketplace.kit.clock import now

LEASE = timedelta(seconds=60)
BATCH = 50
MAX_ATTEMPTS = 12
IDLE_SECONDS = 1.0

E = TypeVar("E", bound=Event)
Subscriber = Callable[[Any], None]
log = structlog.get_logger(__name__)
subscribers: dict[type[Event], list[Subscriber]] = defaultdict(list)
_wake = threading.Event()


class OutboxRow(Base):
    """One fact and how far its telling got: waiting, leased, done, or dead after MAX_ATTEMPTS."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "done_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


_insert = insert(OutboxRow)


def subscribe(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener; it may be called more than once for one fact."""

    def register(listener: Callable[[E], None]) -> Callable[[E], None]:
        if listener not in subscribers[kind]:
            subscribers[kind].append(listener)
        return listener

    return register


def publish(fact: Event) -> None:
    """Write the fact into the running transaction; one that nobody listens to is history at once."""
    moment = now()
    heard = bool(subscribers.get(type(fact)))
    row = {"name": type(fact).__name__, "payload": asdict(fact), "created_at": moment, "due_at": moment}
    execute(_insert, {**row, "attempts": 0, "done_at": None if heard else moment})
    if heard:
        after_commit(_wake.set)


def relay() -> int:
    """Tell everything that is due; returns how many facts were told."""
    told = 0
    while claimed := in_transaction(_claim):
        for row_id, name, payload in claimed:
            told += _tell(row_id, name, payload)
    return told


def waiting() -> int:
    """How many facts are not told yet and not given up."""
    pending = select(func.count()).where(OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None))
    return int(fetch(pending)[0][0])


def _claim() -> list[tuple[int, str, dict[str, Any]]]:
    """Lease a batch: whoever dies with it loses it after LEASE. Ids become visible out of order
    on Postgres, so rows are taken by their state and never by "greater than my last"."""
    due = (
        select(OutboxRow.id)
        .where(OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None), OutboxRow.due_at <= bindparam("now"))
        .order_by(OutboxRow.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    moment = now()
    ids = [row.id for row in fetch(due, {"now": moment})]
    if not ids:
        return []
    taken = update(OutboxRow).where(OutboxRow.id.in_(ids))
    execute(taken.values(due_at=moment + LEASE, attempts=OutboxRow.attempts + 1))
    rows = fetch(select(OutboxRow.id, OutboxRow.name, OutboxRow.payload).where(OutboxRow.id.in_(ids)))
    return [(row.id, row.name, row.payload) for row in sorted(rows)]


def _tell(row_id: int, name: str, payload: dict[str, Any]) -> bool:
    try:
        for kind, listeners in subscribers.items():
            if kind.__name__ == name:
                for listener in listeners:
                    _call(listener, kind(**payload))
    except Exception as error:
        log.exception("subscriber failed", fact=name, outbox_id=row_id)
        message = f"{type(error).__name__}: {error}"
        in_transaction(lambda: _put_back(row_id, message))
        return False
    in_transaction(lambda: execute(_row(row_id).values(done_at=now(), error=None)))
    return True


def _call(listener: Subscriber, fact: Event) -> None:
    in_transaction(lambda: listener(fact))


def _put_back(row_id: int, message: str) -> None:
    """Back-off doubles from 2 s; after MAX_ATTEMPTS an operator decides."""
    attempts = fetch(select(OutboxRow.attempts).where(OutboxRow.id == row_id))[0].attempts
    moment = now()
    dead = moment if attempts >= MAX_ATTEMPTS else None
    later = moment + timedelta(seconds=2**attempts)
    execute(_row(row_id).values(due_at=later, dead_at=dead, error=message[:2000]))


def _row(row_id: int) -> Any:
    return update(OutboxRow).where(OutboxRow.id == row_id)


class Background(threading.Thread):
    """The embedded form of a worker: relays on every wake-up and runs the small periodic
    work, each every so many seconds."""

    def __init__(self, app: Flask, periodic: list[tuple[float, Callable[[], object]]]) -> None:
        super().__init__(name="background", daemon=True)
        self.app = app
        self.periodic = periodic
        self.due = {work: 0.0 for _, work in periodic}
        self.stopping = False

    def run(self) -> None:
        """Until stopped; an error is logged and the next round tries again."""
        while not self.stopping:
            _wake.wait(IDLE_SECONDS)
            _wake.clear()
            with self.app.app_context():
                self._try(relay)
                for seconds, work in self.periodic:
                    if self.due[work] <= time.monotonic():
                        self.due[work] = time.monotonic() + seconds
                        self._try(work)

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            log.exception("background work failed", work=work.__name__)

    def stop(self) -> None:
        """Finish the round and return."""
        self.stopping = True
        _wake.set()
        self.join(timeout=5)
