"""The only writer of a status: `advance()`, by the table, with its history."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from marketplace.core.database.db import Base, Stamped, db
from marketplace.core.http.access import prove
from marketplace.core.http.permissions import STAFF
from marketplace.core.ops import audit_log
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.lifecycle import Lifecycle


class StateChange(Base):
    """One step in a thing's history; the auditor checks that they form a path in the table."""

    __tablename__ = "state_changes"
    __table_args__ = (Index("ix_state_changes_thing_thing_id", "thing", "thing_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    thing: Mapped[str] = mapped_column(String(30))
    thing_id: Mapped[int]
    verb: Mapped[str] = mapped_column(String(30))
    from_state: Mapped[str] = mapped_column(String(30))
    to_state: Mapped[str] = mapped_column(String(30))
    actor_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(default=now)


class Stateful(Stamped):
    """A row with a lifecycle: a status, and a version so that of two racing writers one loses."""

    lifecycle: ClassVar[Lifecycle]
    id: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)

    @declared_attr
    def status(cls) -> Mapped[str]:
        """Starts where the table starts; changed by `advance()` only."""
        return mapped_column(String(30), default=lambda: cls.lifecycle.initial)

    @declared_attr.directive
    def __mapper_args__(cls) -> JsonObject:
        """Optimistic lock: every UPDATE checks the version it read, or raises StaleDataError."""
        return {"version_id_col": cls.__dict__.get("version", cls.version)}

    def advance(self, verb: str, *, actor: Iterable[str], actor_id: int | None = None) -> None:
        """Make one move of the table; raises NotAllowed (403) or WrongState (409). What somebody does as staff is
        written into the audit log."""
        held = frozenset(actor)
        step = self.lifecycle.pick(verb, self.status, held)
        if step.by & held and step.by & held <= STAFF:
            prove()
            audit_log.record(f"{self.lifecycle.thing}.{verb}", self.lifecycle.thing, self.id)
        self.touch()
        if step.to is None or step.to == self.status:
            return
        db.session.add(
            StateChange(
                thing=self.lifecycle.thing,
                thing_id=self.id,
                verb=verb,
                from_state=self.status,
                to_state=step.to,
                actor_id=actor_id,
            )
        )
        self.status = step.to

    def advance_to(self, target: str, *, actor: Iterable[str], actor_id: int | None = None) -> None:
        """Make the move that leads to `target`; staying is no move. Raises as `advance`."""
        if target != self.status:
            roles = frozenset(actor)
            self.advance(self.lifecycle.verb_between(self.status, target, roles), actor=roles, actor_id=actor_id)
