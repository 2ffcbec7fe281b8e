"""Rows are written now, step by step, and then dated back as if each step had happened in its time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from sqlalchemy import ColumnElement, Table, case, literal, or_, update

from marketplace.core.database.db import Base, UTCDateTime, db, execute
from marketplace.kit.clock import now

SEED = 2026
RECENT = timedelta(days=2)
MORNING, WAKING = timedelta(hours=5), 15 / 24  # in UTC: from seven in the morning to ten at night here
LEAST_GAP = timedelta(minutes=1)
Rows = tuple[str, ColumnElement[bool]]


class Story:
    """The steps of one transaction; call `step` before each and `date` after the last."""

    def __init__(self, key: str) -> None:
        self.chance = Random(f"{SEED}:{key}")
        self.marks: list[datetime] = []

    def step(self) -> None:
        """What follows is one step."""
        db.session.flush()
        self.marks.append(now())

    def date(self, *rows: Rows, since: float, until: float) -> None:
        """Spread the steps over the days from `since` to `until` ago, in these rows."""
        db.session.flush()
        moments = spread(self.chance, since, until, len(self.marks))
        spans = pairwise([*self.marks, now() + LEAST_GAP])
        for (first, end), moment in zip(spans, moments, strict=True):
            for table, which in rows:
                _move(Base.metadata.tables[table], which, first, end, moment)


def spread(chance: Random, since: float, until: float, count: int) -> list[datetime]:
    """Moments in order, the first `since` days ago; older ones at hours when people are awake."""
    start = now() - timedelta(days=since, minutes=chance.uniform(0, 120))
    length = now() - timedelta(days=until) - start
    moments: list[datetime] = []
    for index in range(count):
        moment = _waking(start + length * _share(chance, index, count))
        moments.append(max(moment, moments[-1] + LEAST_GAP) if moments else moment)
    return moments


def _share(chance: Random, index: int, count: int) -> float:
    """How far along a step is; those in between come a little early or late."""
    if index in {0, count - 1}:
        return index / max(count - 1, 1)
    return (index + chance.uniform(-0.4, 0.4)) / (count - 1)


def _waking(moment: datetime) -> datetime:
    if now() - moment < RECENT:
        return moment
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return midnight + MORNING + (moment - midnight) * WAKING


def _move(table: Table, which: ColumnElement[bool], first: datetime, end: datetime, moment: datetime) -> None:
    """Every time these rows took on between the two becomes `moment`."""
    fresh = {column: (column >= first) & (column < end) for column in table.c if isinstance(column.type, UTCDateTime)}
    dated = {c.name: case((is_fresh, literal(moment, c.type)), else_=c) for c, is_fresh in fresh.items()}
    execute(update(table).where(which, or_(*fresh.values())).values(dated))
