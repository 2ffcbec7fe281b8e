"""Who did what to what, from where, in which request: rows that the database itself keeps from changing.

Only ids stand here, never a name or an address of a person: what is erased elsewhere has nothing to
be erased from here. A trigger refuses UPDATE and DELETE on both databases.
"""

from datetime import datetime
from typing import Any

import structlog
from flask import g, has_request_context, request
from sqlalchemy import JSON, Index, String, insert
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, execute
from marketplace.kit.clock import now

COMMAND_LINE = "command line"
log = structlog.get_logger("audit")


class AuditRow(Base):
    """One deed; `actor_id` is None for the marketplace itself and its command line."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_actor", "actor_id", "id"),
        Index("ix_audit_log_subject", "subject_type", "subject_id", "id"),
        Index("ix_audit_log_action", "action", "id"),
        Index("ix_audit_log_created_at", "created_at", "id"),
        Index("ix_audit_log_address", "address", "id"),
        Index("ix_audit_log_request_id", "request_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[int | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


_insert = insert(AuditRow)


def record(
    action: str, subject_type: str, subject_id: int | None, *, actor_id: int | None = None, **details: Any
) -> None:
    """Write one deed into the running transaction; `details` are ids and plain words, nothing personal."""
    person = g.get("person") if has_request_context() else None
    by = actor_id if actor_id is not None else getattr(person, "id", None)
    place = (
        {"address": (request.remote_addr or "")[:64], "request_id": g.get("request_id", "")}
        if has_request_context()
        else {"address": "", "request_id": COMMAND_LINE}
    )
    subject = {"subject_type": subject_type, "subject_id": subject_id}
    if has_request_context():
        log.info("deed", action=action, actor=by, **subject, **place)
    execute(_insert, {"created_at": now(), "actor_id": by, "action": action, **subject, **place, "details": details})
