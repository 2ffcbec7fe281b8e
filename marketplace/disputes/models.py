"""A dispute and what belongs to its file: statements, evidence, offers, decisions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict, retry_conflict
from marketplace.core.database.lifecycle import Stateful
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, OFFER_LIFECYCLE
from marketplace.kit.clock import now
from marketplace.kit.errors import Duplicate

OUTCOMES = ("completed", "cancelled")
REASONS = (
    *("work_quality", "no_show", "incomplete", "different_work"),
    *("payment", "communication", "safety", "other"),
)


class ShownAlready(Duplicate):
    """409: the file is evidence in this dispute already."""

    code = "shown_already"
    sentence = "This file is evidence in this dispute already."


@retry_conflict("uq_disputes_open_for")
class Dispute(Stateful, Base):
    """One disagreement about one deal. `active_reference` is the deal while it goes on. The terms (`outcome`, and
    `to_worker_minor`, before the fee, where money is held) are those of the decision in force or of the accepted
    offer; once it is resolved, exactly what was moved. `final_at` is when the first decision can no longer be appealed.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        Index("uq_disputes_open_for", "active_reference", unique=True),
        Index("ix_disputes_deal_id", "deal_id", "id"),
        Index("ix_disputes_opened_by_id", "opened_by_id", "created_at", "id"),
        Index("ix_disputes_against_id", "against_id", "created_at", "id"),
        Index("ix_disputes_status", "status", "created_at", "id"),
        CheckConstraint("opened_by_id <> against_id", name="two_sides"),
        CheckConstraint("to_worker_minor >= 0", name="to_worker"),
    )
    lifecycle = DISPUTE_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id"))
    active_reference: Mapped[int | None]
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    against_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Text, default="")
    response_due_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(10))
    to_worker_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    final_at: Mapped[datetime | None]
    appealed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    appeal_reason: Mapped[str] = mapped_column(Text, default="")


class Statement(Base):
    """A text that a side wrote."""

    __tablename__ = "dispute_statements"
    __table_args__ = (Index("ix_dispute_statements_dispute_id", "dispute_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)


@answer_conflict("uq_dispute_evidence_dispute_id_upload_id", ShownAlready())
class Evidence(Base):
    """A file that a side added. `sha256` is of the bytes as stored when it was added; `upload_id` is None once its
    owner has deleted the file, while the row stays."""

    __tablename__ = "dispute_evidence"
    __table_args__ = (
        UniqueConstraint("dispute_id", "upload_id"),
        Index("ix_dispute_evidence_upload_id", "upload_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("uploads.id", ondelete="SET NULL"))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_type: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Offer(Stateful, Base):
    """One side's terms for the other to accept; the columns mean what they mean in Dispute."""

    __tablename__ = "dispute_offers"
    __table_args__ = (
        Index("ix_dispute_offers_dispute_id", "dispute_id", "id"),
        CheckConstraint("to_worker_minor >= 0", name="to_worker"),
    )
    lifecycle = OFFER_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str] = mapped_column(String(10))
    to_worker_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))


class Decision(Base):
    """A decision by staff, never changed: the one after an appeal is a second row."""

    __tablename__ = "dispute_decisions"
    __table_args__ = (
        Index("ix_dispute_decisions_dispute_id", "dispute_id", "id"),
        CheckConstraint("to_worker_minor >= 0", name="to_worker"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("disputes.id"))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime] = mapped_column(default=now)
    outcome: Mapped[str] = mapped_column(String(10))
    to_worker_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    note: Mapped[str] = mapped_column(Text)
