"""Work that waits in rows: claimed by lease, tried again with back-off, dead after so many attempts.

The outbox, the jobs and the deliveries of notifications are such tables. Whoever dies with a row
loses it when the lease is over; whoever was only slow finds at the end that the row has moved on
(`attempts` is the fencing token) and changes nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Text, bindparam, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import AnyRow, Base, execute, fetch, fetch_as, in_transaction
from marketplace.kit.clock import now

AT_ONCE = timedelta(0)
LONGEST_ERROR = 2000
LONGEST_PAUSE = timedelta(hours=1)
STATES = ("waiting", "failed", "dead", "done")
QUEUES: dict[str, "Queue"] = {}
_sleepers: set[threading.Event] = set()


def wake() -> None:
    """Set every `sleeper` of this process; called after a commit that left work behind."""
    for sleeper in tuple(_sleepers):
        sleeper.set()


def sleeper() -> threading.Event:
    """A new event that `wake` sets; give it back with `dismiss`."""
    event = threading.Event()
    _sleepers.add(event)
    return event


def dismiss(event: threading.Event) -> None:
    """`wake` sets this event no more."""
    _sleepers.discard(event)


class Leased:
    """Mixin: the columns of a row that waits for work (when it is due, attempts, how it ended)."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, eq=False)
class Queue:
    """One table of such rows; `attempts` is how often a row is tried before an operator decides."""

    name: str
    table: Table
    lease: Callable[[AnyRow], timedelta]
    attempts: Callable[[AnyRow], int]
    batch: int = 50

    def __post_init__(self) -> None:
        """Put it among QUEUES, which operators see."""
        QUEUES[self.name] = self

    def claim(self, only: int | None = None, *, ahead: timedelta = AT_ONCE) -> list[AnyRow]:
        """Lease what is due (or this one row, if it is, or will be in a moment), oldest first; nothing is written
        where nothing is due."""
        if not fetch(self._due(only).limit(1), {"now": now() + ahead}):
            return []
        return in_transaction(lambda: self._lease_batch(only, ahead))

    def done(self, row: AnyRow, **values: Any) -> bool:
        """Mark it done in the caller's transaction; False where somebody else has the row by now."""
        return self.update_if_owned(row, done_at=now(), error=None, **values)

    def later(self, row: AnyRow, due_at: datetime, **values: Any) -> bool:
        """Due again at `due_at` with no attempt counted; False where somebody else has the row by now."""
        return self.update_if_owned(row, due_at=due_at, attempts=0, error=None, **values)

    def failed(self, row: AnyRow, error: str, *, final: bool = False, **values: Any) -> bool:
        """Due again after a pause that doubles from 2 s to an hour, or dead after the last attempt or where `final`."""
        moment = now()
        dead = final or row.attempts >= self.attempts(row)
        pause = min(timedelta(seconds=2 ** min(row.attempts, 12)), LONGEST_PAUSE)
        end = {"dead_at": moment} if dead else {"due_at": moment + pause}
        return self.update_if_owned(row, **end, error=error[:LONGEST_ERROR], **values)

    def update_if_owned(self, row: AnyRow, **values: Any) -> bool:
        """Write into a claimed row; False, and nothing written, where somebody else has it by now."""
        mine = (self.table.c.id == row.id, self.table.c.attempts == row.attempts, self.table.c.done_at.is_(None))
        return execute(update(self.table).where(*mine).values(**values)) == 1

    def again(self, *ids: int) -> int:
        """Try dead rows (all, unless named) once more from the start; returns how many."""
        dead = update(self.table).where(self.table.c.dead_at.is_not(None))
        chosen = dead.where(self.table.c.id.in_(ids)) if ids else dead
        return execute(chosen.values(dead_at=None, attempts=0, error=None, due_at=now()))

    def state(self, name: str) -> ColumnElement[bool]:
        """The rows in one of STATES: waiting (new or being worked on), failed (will be tried again), dead, done."""
        open_ = self.table.c.done_at.is_(None) & self.table.c.dead_at.is_(None)
        return {
            "waiting": open_ & self.table.c.error.is_(None),
            "failed": open_ & self.table.c.error.is_not(None),
            "dead": self.table.c.dead_at.is_not(None),
            "done": self.table.c.done_at.is_not(None),
        }[name]

    def count(self, state: str) -> int:
        """How many rows are waiting, done or dead."""
        return int(fetch(select(func.count()).select_from(self.table).where(self.state(state)))[0][0])

    def oldest_due(self) -> datetime | None:
        """Since when the longest waiting row has been due; None where nothing is."""
        rows = fetch(self._due().with_only_columns(self.table.c.due_at).limit(1), {"now": now()})
        return rows[0].due_at if rows else None

    def _due(self, only: int | None = None) -> Select[int]:
        """By state and time, never by "greater than my last": ids become visible out of order on Postgres."""
        rows = self.table.c
        open_ = select(rows.id).where(rows.done_at.is_(None), rows.dead_at.is_(None))
        if only is not None:
            open_ = open_.where(rows.id == only)
        return open_.where(rows.due_at <= bindparam("now")).order_by(rows.due_at, rows.id)

    def _lease_batch(self, only: int | None, ahead: timedelta) -> list[AnyRow]:
        moment = now()
        due = self._due(only).limit(self.batch).with_for_update(skip_locked=True)
        ids = [row.id for row in fetch(due, {"now": moment + ahead})]
        if not ids:
            return []
        chosen = self.table.c.id.in_(ids)
        execute(update(self.table).where(chosen).values(attempts=self.table.c.attempts + 1))
        rows = fetch_as(AnyRow, select(self.table).where(chosen).order_by(self.table.c.due_at, self.table.c.id))
        leases = [{"row_id": row.id, "until": moment + self.lease(row)} for row in rows]
        execute(
            update(self.table).where(self.table.c.id == bindparam("row_id")).values(due_at=bindparam("until")), leases
        )
        return rows


def table_of(model: type[Base]) -> Table:
    """The Core table of a mapped class."""
    return Base.metadata.tables[model.__tablename__]
