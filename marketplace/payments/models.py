"""Payments, refunds, receipts, payouts, provider requests, webhooks and discrepancies."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict, retry_conflict
from marketplace.core.database.encryption import Encrypted, EncryptedBytes
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.queues.work_queue import Leased
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.payments.lifecycle import PAYMENT_LIFECYCLE, PAYOUT_LIFECYCLE, REFUND_LIFECYCLE

POLL_AFTER = timedelta(seconds=60)


def in_a_minute() -> datetime:
    """When the provider is first asked about a new payment."""
    return now() + POLL_AFTER


class PaidAlready(Conflict):
    """409: a deal has at most one open payment."""

    code = "paid_already"
    sentence = "There is a payment for this already."


@answer_conflict("uq_payments_open_for", PaidAlready())
class Payment(Stateful, Base):
    """One payment for one deal (`reference`, such as "task:7"), which is all this floor knows of it.

    `key` is our name for it at the provider. `active_reference` is the reference while the payment is under way.
    `intended_outcome` is what the deal wants done once the money is there: hold it, release it, or call it off. The
    three `…_minor` of the quote are how the amount will be shared; the three `paid_…` how it was. `next_poll_at` is
    when the provider is next asked.
    """

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("provider", "provider_id"),
        Index("uq_payments_open_for", "active_reference", unique=True),
        Index("ix_payments_payer", "payer_id", "id"),
        Index("ix_payments_payee", "payee_id", "status", "id"),
        Index("ix_payments_reference", "reference", "id"),
        Index("ix_payments_ask_at", "status", "next_poll_at"),
        Index("ix_payments_status", "status", "created_at", "id"),
        Index("ix_payments_created_at", "created_at", "id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("fee_minor + tax_minor + payee_minor = amount_minor", name="shares"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= captured_minor", name="refunded"),
        CheckConstraint("payer_id <> payee_id", name="two_sides"),
    )
    lifecycle = PAYMENT_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(60))
    active_reference: Mapped[str | None] = mapped_column(String(60))
    intended_outcome: Mapped[str] = mapped_column(String(10), default="hold")
    payer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    discount_minor: Mapped[int] = mapped_column(default=0)
    fee_minor: Mapped[int]
    tax_minor: Mapped[int]
    payee_minor: Mapped[int]
    fee_rule: Mapped[str] = mapped_column(String(60))
    captured_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    paid_payee_minor: Mapped[int] = mapped_column(default=0)
    paid_fee_minor: Mapped[int] = mapped_column(default=0)
    paid_tax_minor: Mapped[int] = mapped_column(default=0)
    client_secret: Mapped[str] = mapped_column(Encrypted, default="")
    next_url: Mapped[str] = mapped_column(Encrypted, default="")
    failure: Mapped[str] = mapped_column(String(500), default="")
    next_poll_at: Mapped[datetime] = mapped_column(default=in_a_minute)
    captured_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Refund(Stateful, Base):
    """Money on its way back to the payer; `by_id` is None where no person asked for it."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_refunds_payment_id", "payment_id", "id"),
        Index("ix_refunds_provider_id", "provider_id"),
        Index("ix_refunds_status", "status", "updated_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
    lifecycle = REFUND_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(500), default="")
    by_id: Mapped[int | None]
    provider_id: Mapped[str | None] = mapped_column(String(255))
    failure: Mapped[str] = mapped_column(String(500), default="")


@retry_conflict("uq_payees_user_id_provider")
class Payee(Base):
    """A person's account at one provider, to be paid out to."""

    __tablename__ = "payees"
    __table_args__ = (UniqueConstraint("user_id", "provider"), Index("ix_payees_provider_id", "provider_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    is_ready: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Payout(Stateful, Base):
    """Earned money on its way to a person's bank; `score` and `reasons` are the risk rules' verdict."""

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_payouts_user", "user_id", "id"),
        Index("ix_payouts_status", "status", "created_at", "id"),
        Index("ix_payouts_created_at", "created_at", "id"),
        Index("ix_payouts_provider_id", "provider_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
    lifecycle = PAYOUT_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    origin: Mapped[str] = mapped_column(String(10), default="manual")
    score: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    failure: Mapped[str] = mapped_column(String(500), default="")
    paid_at: Mapped[datetime | None]


class ProviderCall(Leased, Base):
    """A request to a provider, recorded before it is sent.

    `key` is the idempotency key sent with it; `first_at` is when it was first sent.
    """

    __tablename__ = "provider_calls"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_provider_calls_waiting", "done_at", "due_at"),
        Index("ix_provider_calls_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    method: Mapped[str | None] = mapped_column(Encrypted)
    first_at: Mapped[datetime | None]


@retry_conflict("uq_provider_events_provider_event_id")
class ProviderEvent(Leased, Base):
    """A webhook as it came, until the object it is about was fetched."""

    __tablename__ = "provider_events"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("ix_provider_events_waiting", "done_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(100))
    about: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str] = mapped_column(String(255))
    body: Mapped[bytes | None] = mapped_column(EncryptedBytes)


@retry_conflict("uq_receipt_series_name")
class ReceiptSeries(Base):
    """The last number of a series, counted in the transaction that issues the receipt, so that there is no gap."""

    __tablename__ = "receipt_series"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    last: Mapped[int] = mapped_column(default=0)


class ReceiptRow(Base):
    """A receipt, or (with `refund_id`) a credit note; `data` is what it said when it was issued."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("series", "number"),
        UniqueConstraint("payment_id", "refund_id"),
        Index("ix_receipts_payment_id", "payment_id", "id"),
        Index("uq_receipts_subject", "subject", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    subject: Mapped[str] = mapped_column(String(60))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    issued_at: Mapped[datetime] = mapped_column(default=now)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


@retry_conflict("uq_hand_over_codes_reference")
class HandOverCode(Base):
    """The code a buyer shows at the hand-over; `wrong` counts bad guesses."""

    __tablename__ = "hand_over_codes"
    __table_args__ = (UniqueConstraint("reference"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(60))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    code: Mapped[str] = mapped_column(Encrypted)
    wrong: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Discrepancy(Base):
    """A difference between our ledger and a provider's report, or within our ledger; closed when it is gone."""

    __tablename__ = "ledger_breaks"
    __table_args__ = (
        Index("uq_ledger_breaks_open_for", "active_reference", unique=True),
        Index("ix_ledger_breaks_found_at", "found_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(300))
    active_reference: Mapped[str | None] = mapped_column(String(340))
    currency: Mapped[str] = mapped_column(String(3), default="")
    ours_minor: Mapped[int] = mapped_column(default=0)
    theirs_minor: Mapped[int] = mapped_column(default=0)
    found_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]


class SidesOfPayment(Protocol):
    """The columns of a payment that a notification needs."""

    title: str
    payer_id: int
    payee_id: int
    captured_minor: int
    currency: str
    intended_outcome: str


class ToAskAbout(Protocol):
    """An object to fetch from its provider, by the provider's id."""

    id: int
    provider: str
    provider_id: str
