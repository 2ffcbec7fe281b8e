"""Jobs: work outside a request, as rows that whoever is free takes up; the same functions in every size.

A slice declares them with `@job` in its `jobs.py`; anybody below or above asks for one by name with
`enqueue`, in the transaction that needs it. A job runs outside any transaction, commits through
`in_transaction` like every edge, and is safe to repeat: a killed worker's job is run again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from flask import Flask, current_app
from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import (
    AnyRow,
    Base,
    after_commit,
    execute,
    fetch,
    first_as,
    in_transaction,
    retry_conflict,
)
from marketplace.core.queues.work_queue import Leased, Queue, table_of, wake
from marketplace.kit.clock import now
from marketplace.kit.errors import Problem
from marketplace.kit.json_types import JsonObject

AT_ONCE = timedelta(0)
MARGIN = timedelta(seconds=10)
UNKNOWN_ATTEMPTS = 8
MOST_IN_A_RUN = 200
KEPT = timedelta(days=14)
FAILED = "This did not work out. It has been recorded; please try again later."
log = structlog.get_logger(__name__)


@retry_conflict("uq_jobs_key")
class JobRow(Leased, Base):
    """One job and how far it got; a periodic one is the same row over and over."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_jobs_waiting", "done_at", "due_at"),
        Index("ix_jobs_owner_id", "owner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    key: Mapped[str | None] = mapped_column(String(120))
    args: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result_url: Mapped[str | None] = mapped_column(String(500))
    started_at: Mapped[datetime | None]
    seconds: Mapped[float | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared job: its function, its time limit, how often it is tried, and every how long it runs by itself."""

    name: str
    work: Callable[..., None]
    timeout: timedelta
    attempts: int
    every: timedelta | None


class Lost(Exception):
    """Raised inside a job whose lease has run out: somebody else has it, and it must stop."""


KINDS: dict[str, Kind] = {}


def _lease(row: AnyRow) -> timedelta:
    kind = KINDS.get(row.name)
    return (kind.timeout if kind else timedelta(seconds=60)) + MARGIN


def _attempts(row: AnyRow) -> int:
    """A job of the clock is never given up."""
    kind = KINDS.get(row.name)
    if kind is not None and kind.every is not None and row.key == row.name:
        return 2**31
    return kind.attempts if kind else UNKNOWN_ATTEMPTS


JOBS = Queue("jobs", table_of(JobRow), lease=_lease, attempts=_attempts, batch=1)
_insert = insert(JobRow)


@dataclass(slots=True)
class Run:
    """Handed to a running job: to report progress and to learn that its lease is lost."""

    row: AnyRow
    result_url: str | None = None

    def progress(self, done: int, total: int) -> None:
        """Show how far it is, and keep the lease; raises Lost."""
        until = now() + _lease(self.row)
        if not in_transaction(lambda: JOBS.update_if_owned(self.row, done=done, total=total, due_at=until)):
            raise Lost(f"{self.row.name} {self.row.id}")


def job(
    name: str, *, timeout: float = 60, attempts: int = 8, every: timedelta | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a job; `timeout` in seconds. One with `every` is started by the clock."""

    def register(work: Callable[..., None]) -> Callable[..., None]:
        KINDS[name] = Kind(name, work, timedelta(seconds=timeout), attempts, every)
        return work

    return register


def enqueue(
    name: str, *, owner_id: int | None = None, key: str | None = None, delay: timedelta = AT_ONCE, **args: Any
) -> int:
    """Ask for a job in the running transaction, to be run after `delay`; returns its id. A second one of the
    same `key` is the first."""
    if key is not None and (known := fetch(select(JobRow.id).where(JobRow.key == key))):
        return int(known[0].id)
    moment = now()
    row = {"name": name, "key": key, "args": args, "owner_id": owner_id, "created_at": moment, "due_at": moment + delay}
    after_commit(wake)
    return int(fetch(_insert.returning(JobRow.id).values(**row, attempts=0, done=0, total=0))[0].id)


def one_by_one(due: Callable[..., list[int]], work: Callable[[int], object]) -> None:
    """One transaction each, of at most so many: one that cannot be moved does not hold up the others."""
    for thing_id in due(batch=MOST_IN_A_RUN):
        try:
            in_transaction(partial(work, thing_id))
        except Problem as problem:
            log.warning("it cannot be moved", verb=work.__name__, id=thing_id, problem=problem.sentence)


def run_due() -> int:
    """Run every job that is due, one after the other; returns how many ended well."""
    ended = 0
    while claimed := JOBS.claim():
        ended += sum(_run_in_time(row) for row in claimed)
    return ended


def plan() -> int:
    """See that every periodic job has its row; the clock of a new one starts now. Returns 0: nothing to repeat."""
    known = {row.key for row in fetch(select(JobRow.key).where(JobRow.key.in_(_periodic())))}
    for name in sorted(_periodic() - known):
        in_transaction(partial(enqueue, name, key=name))
    return 0


def sweep() -> None:
    """Forget finished jobs after two weeks; the dead stay for an operator."""
    in_transaction(lambda: execute(delete(JobRow).where(JobRow.done_at < now() - KEPT)))


def state_of(row: Any) -> str:
    """waiting, running, done or failed, as the owner is told."""
    if row.done_at is not None:
        return "done"
    if row.dead_at is not None:
        return "failed"
    leased = row.started_at is not None and row.attempts > 0 and row.due_at > now()
    return "running" if leased and row.error is None else "waiting"


def _periodic() -> set[str]:
    return {kind.name for kind in KINDS.values() if kind.every is not None}


def _run_in_time(row: AnyRow) -> bool:
    """In a thread of its own: one that hangs is left behind when its time is over, and tried again."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    kind = KINDS.get(row.name)
    started = now()
    in_transaction(lambda: JOBS.update_if_owned(row, started_at=started, error=None))
    attempt = _Attempt(app, kind, row)
    attempt.start()
    attempt.join(kind.timeout.total_seconds() if kind else None)
    error = "TimeoutError: it took too long" if attempt.is_alive() else attempt.error
    seconds = (now() - started).total_seconds()
    return in_transaction(lambda: _record(kind, attempt.run_, error, seconds))


class _Attempt(threading.Thread):
    def __init__(self, app: Flask, kind: Kind | None, row: AnyRow) -> None:
        super().__init__(name=f"job-{row.id}", daemon=True)
        self.app, self.kind, self.run_ = app, kind, Run(row)
        self.error: str | None = None

    def run(self) -> None:
        row = self.run_.row
        try:
            with self.app.app_context():
                if self.kind is None:
                    raise LookupError(f"no job is called {row.name}")
                self.kind.work(self.run_, **row.args)
        except BaseException as error:
            log.exception("job failed", job=row.name, job_id=row.id, attempt=row.attempts)
            self.error = f"{type(error).__name__}: {error}"


def _record(kind: Kind | None, run: Run, error: str | None, seconds: float) -> bool:
    if error is not None:
        JOBS.failed(run.row, error, seconds=seconds)
        return False
    if kind is not None and kind.every is not None and run.row.key == kind.name:
        return JOBS.later(run.row, now() + kind.every, seconds=seconds)
    return JOBS.done(run.row, seconds=seconds, result_url=run.result_url)


class JobState(Protocol):
    """A job as its owner asks for it."""

    id: int
    name: str
    done: int
    total: int
    result_url: str | None
    created_at: datetime
    started_at: datetime | None
    attempts: int
    due_at: datetime
    done_at: datetime | None
    dead_at: datetime | None


def find_for(owner_id: int, job_id: int) -> JobState | None:
    """One of a person's own jobs; None where there is none."""
    return first_as(JobState, select(JobRow.__table__).where(JobRow.id == job_id, JobRow.owner_id == owner_id))


def view(row: Any) -> JsonObject:
    """As its owner sees it: what went wrong inside is for operators."""
    state = state_of(row)
    return {
        "id": row.id,
        "name": row.name,
        "status": state,
        "done": row.done,
        "total": row.total,
        "result_url": row.result_url,
        "error": FAILED if state == "failed" else None,
        "created_at": row.created_at,
    }
