"""Every way two pieces of work can get into each other's way, one after the other.

The first runs in a thread of its own and is stopped before its k-th statement or commit; meanwhile the rival runs to
its end; then the first goes on. Again with k = 1, 2, … until the first comes to its end without being stopped (every
so many k, unless INTERLEAVE_EVERY=1). Where the rival has to wait for the first (it holds a lock; SQLite has one
writer) they are one after the other anyway: the first goes on after a moment, and the rival after it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import event

from marketplace.core.database.db import db
from tests.servers.waiting import PATIENCE

Work = Callable[[], object]
MOMENT = 0.15  # in which the rival begins no statement: it is taken to be waiting for the first
MOST = 300
EVERY = int(os.environ.get("INTERLEAVE_EVERY", "6"))


@dataclass(frozen=True, slots=True)
class Meeting:
    """What came of one: before which statement the first was stopped, whether the rival waited for it, and what
    either raised."""

    step: int
    statement: str
    waited: bool
    first: Exception | None
    rival: Exception | None


class _Stop:
    """Before the k-th statement of one thread."""

    def __init__(self, step: int) -> None:
        self.left, self.thread, self.statement = step, 0, ""
        self.rivals = 0  # statements so far
        self.reached, self.go_on = threading.Event(), threading.Event()

    def commit(self, _connection: Any) -> None:
        """What was done is there for others after this."""
        self.note(None, None, "COMMIT")

    def note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Wait here, if it is the one."""
        if threading.get_ident() != self.thread:
            self.rivals += 1
            return
        self.left -= 1
        if self.left == 0:
            self.statement = " ".join(statement.split())[:100]
            self.reached.set()
            self.go_on.wait(PATIENCE)


def meetings(app: Flask, prepare: Callable[[], tuple[Work, Work]], every: int = EVERY) -> Iterator[Meeting]:
    """One meeting for each k; `prepare` makes a fresh stage and says who is the first and who the rival."""
    for step in range(1, MOST, every):
        first, rival = prepare()
        meeting = meet(app, first, rival, step)
        if meeting is None:
            return
        yield meeting
    raise AssertionError(f"the first did not come to its end in {MOST} statements")


def meet(app: Flask, first: Work, rival: Work, step: int) -> Meeting | None:
    """One of them; None where the first has no such statement (then the rival ran after it)."""
    stop = _Stop(step)
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", stop.note)
    event.listen(engine, "commit", stop.commit)
    try:
        one, two = _Runner(app, first, stop), _Runner(app, rival)
        one.start()
        while one.is_alive() and not stop.reached.wait(0.001):
            pass
        is_stopped = stop.reached.is_set()
        if not is_stopped:
            stop.thread = 0  # the rival's thread may get the number of the one that ended
        two.start()
        waited = _stands_still(two, stop) if is_stopped else False
        stop.go_on.set()
        for runner in (one, two):
            runner.join(PATIENCE)
            assert not runner.is_alive(), f"stopped before statement {step} ({stop.statement}), one never ended"
    finally:
        event.remove(engine, "before_cursor_execute", stop.note)
        event.remove(engine, "commit", stop.commit)
    return Meeting(step, stop.statement, waited, one.error, two.error) if is_stopped else None


def _stands_still(rival: threading.Thread, stop: _Stop) -> bool:
    """Whether it came to no end and does nothing more, however slow the machine is."""
    seen, since = stop.rivals, time.monotonic()
    while rival.is_alive() and time.monotonic() - since < MOMENT:
        rival.join(MOMENT / 10)
        if stop.rivals != seen:
            seen, since = stop.rivals, time.monotonic()
    return rival.is_alive()


class _Runner(threading.Thread):
    """Work in a thread with a session of its own."""

    def __init__(self, app: Flask, work: Work, stop: _Stop | None = None) -> None:
        super().__init__(daemon=True)
        self.app, self.work, self.stop = app, work, stop
        self.error: Exception | None = None

    def run(self) -> None:
        """Until the end, or the error."""
        if self.stop is not None:
            self.stop.thread = threading.get_ident()
        with self.app.app_context():
            try:
                self.work()
            except Exception as error:  # noqa: BLE001 - told to whoever asked for the meeting
                self.error = error
            finally:
                db.session.remove()
                if self.stop is not None:
                    self.stop.thread = 0  # the rival may be given the same number
