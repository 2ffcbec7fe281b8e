"""Subscriptions and their invoices."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, retry_conflict
from marketplace.core.database.encryption import Encrypted
from marketplace.core.database.lifecycle import Stateful
from marketplace.kit.clock import now
from marketplace.payments.subscriptions.lifecycle import SUBSCRIPTION_LIFECYCLE


@retry_conflict("uq_subscriptions_open_for")
class Subscription(Stateful, Base):
    """What somebody pays the marketplace again and again.

    `key` is our name for it at the provider. `active_reference` is the person while it lives, so each has one.
    `intended_outcome` is what its end should be (end_later, end_now) before the provider knows; `wanted_plan` the plan
    to change to. `paid_minor` is what all its invoices brought.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("provider", "provider_id"),
        Index("uq_subscriptions_open_for", "active_reference", unique=True),
        Index("ix_subscriptions_user_id", "user_id", "id"),
        Index("ix_subscriptions_status", "status", "asked_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("paid_minor >= 0", name="paid"),
    )
    lifecycle = SUBSCRIPTION_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    active_reference: Mapped[int | None]
    plan_key: Mapped[str] = mapped_column(String(30))
    wanted_plan: Mapped[str] = mapped_column(String(30), default="")
    intended_outcome: Mapped[str] = mapped_column(String(10), default="")
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    customer_id: Mapped[str | None] = mapped_column(String(255))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    paid_minor: Mapped[int] = mapped_column(default=0)
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    grace_until: Mapped[datetime | None]
    client_secret: Mapped[str] = mapped_column(Encrypted, default="")
    next_url: Mapped[str] = mapped_column(Encrypted, default="")
    failure: Mapped[str] = mapped_column(String(500), default="")
    asked_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


@retry_conflict("uq_subscription_invoices_provider_provider_id")
class Invoice(Base):
    """One paid invoice, booked and with a receipt; `provider_id` is its id at the provider. `refunded_minor` went back,
    or is on its way (refunds/)."""

    __tablename__ = "subscription_invoices"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        Index("ix_subscription_invoices_user_id", "user_id", "id"),
        Index("ix_subscription_invoices_subscription_id", "subscription_id"),
        Index("ix_subscription_invoices_created_at", "created_at", "id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= amount_minor", name="refunded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(255))
    plan_key: Mapped[str] = mapped_column(String(30))
    amount_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipts.id"))
    paid_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=now)
