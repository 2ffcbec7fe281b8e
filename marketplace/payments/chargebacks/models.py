"""Chargebacks: payments that the payer's bank (or the provider) disputes."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base
from marketplace.core.database.lifecycle import Stateful
from marketplace.kit.clock import now
from marketplace.payments.chargebacks.lifecycle import CHARGEBACK_LIFECYCLE


class Chargeback(Stateful, Base):
    """One dispute about one payment, as its provider tells of it; minor units of the payment's currency.

    `withdrawn_minor` is what the provider has taken out of our balance and not given back, `fee_minor` what it charges
    for it; `movements` counts their changes. `evidence` is what staff last answered, `evidence_file` the stem of
    the upload they showed, `evidence_due_at` until when they can.
    """

    __tablename__ = "chargebacks"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        Index("ix_chargebacks_payment_id", "payment_id", "id"),
        Index("ix_chargebacks_status", "status", "evidence_due_at", "id"),
        Index("ix_chargebacks_created_at", "created_at", "id"),
        CheckConstraint("amount_minor > 0 AND withdrawn_minor >= 0 AND fee_minor >= 0", name="amounts"),
    )
    lifecycle = CHARGEBACK_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    withdrawn_minor: Mapped[int] = mapped_column(default=0)
    fee_minor: Mapped[int] = mapped_column(default=0)
    movements: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(60), default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    evidence_file: Mapped[str] = mapped_column(String(60), default="")
    evidence_due_at: Mapped[datetime | None]
    evidence_sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    opened_at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]


class ChargebackRow(Protocol):
    """A row of chargebacks, to be read."""

    id: int
    payment_id: int
    provider: str
    provider_id: str

    @property
    def status(self) -> str:
        """Of its lifecycle."""
        ...

    amount_minor: int
    currency: str
    withdrawn_minor: int
    fee_minor: int
    reason: str
    evidence: str
    evidence_file: str
    evidence_due_at: datetime | None
    evidence_sent_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
