"""Refunds of subscription invoices."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base
from marketplace.core.database.lifecycle import Stateful
from marketplace.payments.subscriptions.refunds.lifecycle import INVOICE_REFUND_LIFECYCLE


class InvoiceRefund(Stateful, Base):
    """Money of one invoice on its way back to its payer, or there; `receipt_id` is its credit note, once it is over.
    `by_id` is who of the staff asked for it."""

    __tablename__ = "subscription_refunds"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_subscription_refunds_invoice_id", "invoice_id", "id"),
        Index("ix_subscription_refunds_payer_id", "payer_id", "id"),
        Index("ix_subscription_refunds_provider_id", "provider_id"),
        Index("ix_subscription_refunds_status", "status", "updated_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
    lifecycle = INVOICE_REFUND_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("subscription_invoices.id"))
    payer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(500), default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipts.id"))
    failure: Mapped[str] = mapped_column(String(500), default="")
