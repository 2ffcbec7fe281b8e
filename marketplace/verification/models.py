"""Submitted documents."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict
from marketplace.core.database.lifecycle import Stateful
from marketplace.kit.errors import Conflict
from marketplace.verification.lifecycle import VERIFICATION_LIFECYCLE

DOCUMENT_TYPES = ("passport", "id_card", "driving_licence", "residence_permit", "company_registration")


class WaitsAlready(Conflict):
    """409: a person has one pending submission at most."""

    code = "waits_already"
    sentence = "Your documents are being looked at already. Withdraw them to send others."


@answer_conflict("uq_verifications_open_for", WaitsAlready())
class Verification(Stateful, Base):
    """One submission; `files` are the stems of private uploads. `active_reference` is the person while it waits."""

    __tablename__ = "verifications"
    __table_args__ = (
        Index("ix_verifications_user_id", "user_id", "id"),
        Index("ix_verifications_status", "status", "created_at", "id"),
        Index("uq_verifications_open_for", "active_reference", unique=True),
    )
    lifecycle = VERIFICATION_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    active_reference: Mapped[int | None]
    document_type: Mapped[str] = mapped_column(String(30))
    note: Mapped[str] = mapped_column(String(1000), default="")
    files: Mapped[list[str]] = mapped_column(JSON, default=list)
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_by_id: Mapped[int | None]
    decided_at: Mapped[datetime | None]
