"""Payments, refunds, receipts, payouts, provider requests, webhooks and discrepancies."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict, retry_conflict
from marketplace.core.database.encryption import Encrypted, EncryptedBytes
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.queues.work_queue import Leased
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.kit.json_types import JsonObject
from marketplace.payments.lifecycle import PAYMENT_LIFECYCLE, PAYOUT_LIFECYCLE, REFUND_LIFECYCLE, SHARE_LIFECYCLE

POLL_AFTER = timedelta(seconds=60)


def in_a_minute() -> datetime:
    """When the provider is first asked about a new payment."""
    return now() + POLL_AFTER


class PaidAlready(Conflict):
    """409: a deal has at most one open payment."""

    code = "paid_already"
    sentence = "There is a payment for this already."


class Payment(Stateful, Base):
    """What one person pays at once, for one deal or for several: its shares (PaymentShare) say for which and to whom.

    `reference` names the whole ("task:7"), `key` is our name for it at the provider. `intended_outcome` is call_off
    where nobody wants any of it any more. `next_poll_at` is when the provider is next asked. `is_frozen` while the
    payer's bank disputes it (chargebacks/): nothing of it moves meanwhile. `lost_minor` is what the bank took back in
    the end.
    """

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("provider", "provider_id"),
        Index("ix_payments_payer", "payer_id", "id"),
        Index("ix_payments_reference", "reference", "id"),
        Index("ix_payments_ask_at", "status", "next_poll_at"),
        Index("ix_payments_status", "status", "created_at", "id"),
        Index("ix_payments_created_at", "created_at", "id"),
        Index("ix_payments_frozen", "id", postgresql_where=text("is_frozen"), sqlite_where=text("is_frozen")),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "refunded_minor >= 0 AND lost_minor >= 0 AND refunded_minor + lost_minor <= captured_minor", name="refunded"
        ),
    )
    lifecycle = PAYMENT_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(60))
    intended_outcome: Mapped[str] = mapped_column(String(10), default="hold")
    payer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    captured_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    lost_minor: Mapped[int] = mapped_column(default=0)
    is_frozen: Mapped[bool] = mapped_column(default=False)
    client_secret: Mapped[str] = mapped_column(Encrypted, default="")
    next_url: Mapped[str] = mapped_column(Encrypted, default="")
    failure: Mapped[str] = mapped_column(String(500), default="")
    next_poll_at: Mapped[datetime] = mapped_column(default=in_a_minute)
    captured_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@answer_conflict("uq_payment_shares_open_for", PaidAlready())
class PaymentShare(Stateful, Base):
    """The part of a payment that is for one deal (`reference`, such as "task:7") and one payee, with an escrow of its
    own. `active_reference` is the reference while money may be or come there, so a deal has one.

    `amount_minor` is the payer's part, `subsidy_minor` what the marketplace adds (a voucher of its own); both together
    are fee, tax and payee's part as quoted, by `lines`, which name the rule of each. Since the capture `…_left_minor`
    is how what is still in escrow will be shared, `paid_…_minor` what each side got and kept. Back go `refunded_minor`
    and `lost_minor` (a chargeback) to the payer, `unsubsidized_minor` to the marketplace. `intended_outcome` is what
    the deal wants done once it can be: hold it, release it, or call it off. `releases` counts. `available_from` is when
    the provider has settled the money, so that it can be paid out.
    """

    __tablename__ = "payment_shares"
    __table_args__ = (
        Index("uq_payment_shares_open_for", "active_reference", unique=True),
        Index("ix_payment_shares_payment_id", "payment_id", "id"),
        Index("ix_payment_shares_payee", "payee_id", "status", "payment_id"),
        Index("ix_payment_shares_reference", "reference", "id"),
        Index("ix_payment_shares_available", "payee_id", "available_from"),
        CheckConstraint("amount_minor >= 0 AND amount_minor + subsidy_minor > 0", name="amount"),
        CheckConstraint("fee_minor + tax_minor + payee_minor = amount_minor + subsidy_minor", name="quote"),
        CheckConstraint("payee_left_minor >= 0 AND fee_left_minor >= 0 AND tax_left_minor >= 0", name="left"),
        CheckConstraint("paid_payee_minor >= 0 AND paid_fee_minor >= 0 AND paid_tax_minor >= 0", name="paid"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor + lost_minor <= captured_minor", name="refunded"),
        CheckConstraint("unsubsidized_minor >= 0 AND unsubsidized_minor <= subsidy_minor", name="subsidy"),
    )
    lifecycle = SHARE_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    reference: Mapped[str] = mapped_column(String(60))
    active_reference: Mapped[str | None] = mapped_column(String(60))
    intended_outcome: Mapped[str] = mapped_column(String(10), default="hold")
    payee_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    subsidy_minor: Mapped[int] = mapped_column(default=0)
    fee_minor: Mapped[int]
    tax_minor: Mapped[int]
    payee_minor: Mapped[int]
    lines: Mapped[list[JsonObject]] = mapped_column(JSON, default=list)
    captured_minor: Mapped[int] = mapped_column(default=0)
    payee_left_minor: Mapped[int] = mapped_column(default=0)
    fee_left_minor: Mapped[int] = mapped_column(default=0)
    tax_left_minor: Mapped[int] = mapped_column(default=0)
    paid_payee_minor: Mapped[int] = mapped_column(default=0)
    paid_fee_minor: Mapped[int] = mapped_column(default=0)
    paid_tax_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    lost_minor: Mapped[int] = mapped_column(default=0)
    unsubsidized_minor: Mapped[int] = mapped_column(default=0)
    releases: Mapped[int] = mapped_column(default=0)
    available_from: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def held_minor(self) -> int:
        """What is in its escrow, minor units."""
        return self.payee_left_minor + self.fee_left_minor + self.tax_left_minor

    @property
    def refundable_minor(self) -> int:
        """What of the payer's money has not gone back, minor units."""
        return self.captured_minor - self.refunded_minor - self.lost_minor


class Refund(Stateful, Base):
    """Money of one share on its way back to the payer; `fee_minor` and `tax_minor` are what of fee and tax it undoes.
    `reclaimed_minor` of one that failed was taken out of the payer's wallet again, as their bank has paid it. `by_id`
    is None where no person asked for it."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_refunds_payment_id", "payment_id", "id"),
        Index("ix_refunds_share_id", "share_id", "id"),
        Index("ix_refunds_provider_id", "provider_id"),
        Index("ix_refunds_status", "status", "updated_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )
    lifecycle = REFUND_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    share_id: Mapped[int] = mapped_column(ForeignKey("payment_shares.id"))
    amount_minor: Mapped[int]
    fee_minor: Mapped[int] = mapped_column(default=0)
    tax_minor: Mapped[int] = mapped_column(default=0)
    reclaimed_minor: Mapped[int] = mapped_column(default=0)
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
    """Earned money on its way to a person's bank; `score` and `reasons` are the risk rules' verdict. It is sent once
    the provider has settled the money it is made of (`available_from`, None where it has)."""

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
    available_from: Mapped[datetime | None]
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
    """A receipt of a payment, of one of its shares, or (with `refund_id`) a credit note; `data` is what it said when it
    was issued."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("series", "number"),
        Index("ix_receipts_payment_id", "payment_id", "id"),
        Index("uq_receipts_subject", "subject", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    subject: Mapped[str] = mapped_column(String(60))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    share_id: Mapped[int | None] = mapped_column(ForeignKey("payment_shares.id"))
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


class ShareRow(Protocol):
    """A row of payment_shares, to be read."""

    id: int
    payment_id: int
    reference: str
    title: str
    payee_id: int
    status: str
    captured_minor: int
    paid_payee_minor: int
    available_from: datetime | None


class SidesOfPayment(Protocol):
    """The columns of a share and its payment that a notification needs."""

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
