"""Events wait here in the transaction that made them true; a relay delivers them to subscribers, at least once."""

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
    """One event and how far its delivery got: waiting, leased, done, or dead after MAX_ATTEMPTS."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "done_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)


_insert = insert(OutboxRow)
OUTBOX = Queue("outbox", table_of(OutboxRow), lease=lambda row: LEASE, attempts=lambda row: MAX_ATTEMPTS)


def subscribe(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener; it may be called more than once for one event."""

    def register(listener: Callable[[E], None]) -> Callable[[E], None]:
        if listener not in subscribers[kind]:
            subscribers[kind].append(listener)
        return listener

    return register


def subscribe_to_subjects(which: str) -> Callable[[Subscriber], Subscriber]:
    """Register a listener for the event that every kind of thing names so in its manifest: posted, deleted."""

    def register(listener: Subscriber) -> Subscriber:
        _of_subjects.append((which, listener))
        return listener

    return register


def follow(subjects: Iterable[object]) -> None:
    """Subscribe them to the events of these kinds of things."""
    for subject in subjects:
        for which, listener in _of_subjects:
            kind: type[Event] | None = getattr(subject, which)
            if kind is not None:
                subscribe(kind)(listener)


def publish(event: Event) -> None:
    """Write the event into the running transaction; one that nobody listens to is history at once."""
    moment = now()
    has_listeners = bool(subscribers.get(type(event)))
    row = {"name": type(event).__name__, "payload": asdict(event), "created_at": moment, "due_at": moment}
    execute(_insert, {**row, "attempts": 0, "done_at": None if has_listeners else moment})
    if has_listeners:
        after_commit(wake)
    if ended_topics(type(event)):
        after_commit(partial(forget_for, type(event)))


def relay() -> int:
    """Deliver everything that is due; returns how many events that were."""
    delivered = 0
    while claimed := OUTBOX.claim():
        delivered += sum(_deliver(row) for row in claimed)
    return delivered


def sweep() -> None:
    """Delete delivered events after thirty days; what is dead stays for an operator."""
    in_transaction(lambda: execute(delete(OutboxRow).where(OutboxRow.done_at < now() - KEPT)))


def _deliver(row: AnyRow) -> bool:
    calls = [(listener, kind(**row.payload)) for kind, listener in _listeners(row.name)]
    try:
        in_transaction(lambda: _call_all(row, calls))
    except Exception as error:
        log.exception("subscriber failed", fact=row.name, outbox_id=row.id)
        delivered = [_call_alone(listener, event) for listener, event in calls]
        if all(delivered):
            return in_transaction(lambda: _mark_delivered(row))
        message = f"{type(error).__name__}: {error}"
        in_transaction(lambda: OUTBOX.failed(row, message))
        return False
    return True


def _listeners(name: str) -> list[tuple[type[Event], Subscriber]]:
    return [(kind, one) for kind, listeners in subscribers.items() if kind.__name__ == name for one in listeners]


def _call_all(row: AnyRow, calls: list[tuple[Subscriber, Event]]) -> None:
    """What the listeners write and that the event is delivered is one commit: usually it is exactly once."""
    for listener, event in calls:
        listener(event)
    _mark_delivered(row)


def _mark_delivered(row: AnyRow) -> bool:
    personal = any(kind.personal for kind, _ in _listeners(row.name))
    return OUTBOX.done(row, payload={}) if personal else OUTBOX.done(row)


def _call_alone(listener: Subscriber, event: Event) -> bool:
    """Call one listener in a transaction of its own, so that one that fails does not keep the event from the others."""
    with suppress(Exception):
        in_transaction(lambda: listener(event))
        return True
    return False
