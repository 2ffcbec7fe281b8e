"""What the clock does to things: which are due, and one of them read again before it is moved."""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select

from marketplace.core.database.db import Base, db, fetch, locked

T = TypeVar("T", bound=Base)


class Timer(Generic[T]):
    """Rows of `model` whose time has come by a condition that is made anew each time (`now()` stands in it).

    A run of a job takes the ids; each is asked for again in the transaction that moves it, as somebody may have been
    faster."""

    def __init__(self, model: type[T], due: Callable[[], ColumnElement[bool]]) -> None:
        self._model = model
        self._due = due

    def ids(self, batch: int) -> list[int]:
        """At most `batch` of those that are due, the oldest first."""
        key = self._model.__table__.c.id
        return [row.id for row in fetch(select(key).where(self._due()).order_by(key).limit(batch))]

    def row(self, thing_id: int) -> T | None:
        """The row of this id if it is due, else None."""
        return db.session.scalar(self._one(thing_id))

    def locked_row(self, thing_id: int) -> T | None:
        """The row of this id if it is due, locked until the transaction ends; else None."""
        return db.session.scalar(locked(self._one(thing_id)))

    def _one(self, thing_id: int) -> Select[T]:
        return select(self._model).where(self._due(), self._model.__table__.c.id == thing_id)
