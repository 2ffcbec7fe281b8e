"""Facts wait here in the transaction that made them true; a relay tells the subscribers, at least once."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import JSON, Index, String, delete, insert
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.cache.shared_cache import ended_topics, forget_for
from marketplace.core.database.db import AnyRow, Base, after_commit, execute, in_transaction
from marketplace.core.queues.work_queue import Leased, Queue, table_of, wake
from marketplace.events.base import Event
from marketplace.kit.clock import now

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 12
KEPT = timedelta(days=30)

E = TypeVar("E", bound=Event)
Subscriber = Callable[[Any], None]
log = structlog.get_logger(__name__)
subscribers: dict[type[Event], list[Subscriber]] = defaultdict(list)
_of_subjects: list[tuple[str, Subscriber]] = []


class OutboxRow(Leased, Base):
    """One fact and how far its telling got: waiting, leased, done, or dead after MAX_ATTEMPTS."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "done_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)


_insert = insert(OutboxRow)
FACTS = Queue("outbox", table_of(OutboxRow), lease=lambda row: LEASE, attempts=lambda row: MAX_ATTEMPTS)


def subscribe(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener; it may be called more than once for one fact."""

    def register(listener: Callable[[E], None]) -> Callable[[E], None]:
        if listener not in subscribers[kind]:
            subscribers[kind].append(listener)
        return listener

    return register


def subscribe_to_subjects(which: str) -> Callable[[Subscriber], Subscriber]:
    """Register a listener for the fact that every kind of thing names so in its manifest: posted, deleted."""

    def register(listener: Subscriber) -> Subscriber:
        _of_subjects.append((which, listener))
        return listener

    return register


def follow(subjects: Iterable[object]) -> None:
    """Subscribe them to the facts of these kinds of things."""
    for subject in subjects:
        for which, listener in _of_subjects:
            kind: type[Event] | None = getattr(subject, which)
            if kind is not None:
                subscribe(kind)(listener)


def publish(fact: Event) -> None:
    """Write the fact into the running transaction; one that nobody listens to is history at once."""
    moment = now()
    heard = bool(subscribers.get(type(fact)))
    row = {"name": type(fact).__name__, "payload": asdict(fact), "created_at": moment, "due_at": moment}
    execute(_insert, {**row, "attempts": 0, "done_at": None if heard else moment})
    if heard:
        after_commit(wake)
    if ended_topics(type(fact)):
        after_commit(partial(forget_for, type(fact)))


def relay() -> int:
    """Tell everything that is due; returns how many facts were told."""
    told = 0
    while claimed := FACTS.claim():
        told += sum(_tell(row) for row in claimed)
    return told


def sweep() -> None:
    """Forget told facts after thirty days; what is dead stays for an operator."""
    in_transaction(lambda: execute(delete(OutboxRow).where(OutboxRow.done_at < now() - KEPT)))


def _tell(row: AnyRow) -> bool:
    calls = [(listener, kind(**row.payload)) for kind, listener in _listeners(row.name)]
    try:
        in_transaction(lambda: _call_all(row, calls))
    except Exception as error:
        log.exception("subscriber failed", fact=row.name, outbox_id=row.id)
        heard = [_call_alone(listener, fact) for listener, fact in calls]
        if all(heard):
            return in_transaction(lambda: _told(row))
        message = f"{type(error).__name__}: {error}"
        in_transaction(lambda: FACTS.failed(row, message))
        return False
    return True


def _listeners(name: str) -> list[tuple[type[Event], Subscriber]]:
    return [(kind, one) for kind, heard in subscribers.items() if kind.__name__ == name for one in heard]


def _call_all(row: AnyRow, calls: list[tuple[Subscriber, Event]]) -> None:
    """What the listeners write and that they were told is one commit: usually it is exactly once."""
    for listener, fact in calls:
        listener(fact)
    _told(row)


def _told(row: AnyRow) -> bool:
    personal = any(kind.personal for kind, _ in _listeners(row.name))
    return FACTS.done(row, payload={}) if personal else FACTS.done(row)


def _call_alone(listener: Subscriber, fact: Event) -> bool:
    """Call one listener in a transaction of its own, so that one that fails does not keep the fact from the others."""
    with suppress(Exception):
        in_transaction(lambda: listener(fact))
        return True
    return False
