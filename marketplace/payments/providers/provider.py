"""The Protocols of a payment provider, one for each ability, and what passes through them.

Amounts are integers of minor units (cents, yen, fils). Every call that moves money carries a `key`:
a provider that is sent the same key again does it once and answers the same. No adapter keeps state:
what a provider knows is asked for by `fetch_…`, and what is not known to have arrived by `find_…`.

Apart from the rooms: the gateway's Protocols; providers/ is the slice's gateways/ under the field's name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class ProviderError(Exception):
    """The base of what a provider may say instead of doing it; the message is for operators."""


class Unreachable(ProviderError):
    """No answer, a 5xx, a 429 or a lost connection: whether it was done is unknown. Ask again later."""


class NotSettled(Unreachable):
    """A payout of money that the provider has not settled yet. Ask again later."""


class Refused(ProviderError):
    """Permanent: the provider will never do this. `code` is the provider's own error code."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Declined(Refused):
    """The payer's bank or card said no; another method may work."""


class Unknown(Refused):
    """The provider has no such object."""


class Forged(ProviderError):
    """A webhook whose signature does not fit its body, or that is too old."""


class ProviderStatus(StrEnum):
    """States of a payment at a provider."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CANCELLED = "cancelled"


class Done(StrEnum):
    """States of a refund or payout at a provider."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A payment to be authorised now and captured later."""

    key: str
    amount_minor: int
    currency: str
    description: str
    reference: str
    method: str | None = None
    return_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState:
    """What the provider says of one payment at this moment.

    `available_from` is when what it captured can be paid out, None where it does not say.
    `next_url` is where the payer has to go (a challenge, an approval); `refunded_minor` counts refunds that the
    provider regards as made; `failure` is why the last try to pay did not work, one sentence for the payer.
    """

    id: str
    status: ProviderStatus
    amount_minor: int
    currency: str
    captured_minor: int = 0
    refunded_minor: int = 0
    client_secret: str = ""
    next_url: str = ""
    failure: str = ""
    key: str = ""
    available_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundState:
    """What the provider says of one refund."""

    id: str
    status: Done
    amount_minor: int
    currency: str
    payment_id: str = ""
    failure: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutState:
    """One transfer of money to somebody who earned it. DONE can still become FAILED when a bank returns it."""

    id: str
    status: Done
    amount_minor: int
    currency: str
    failure: str = ""
    key: str = ""


class Dispute(StrEnum):
    """States of a chargeback at a provider."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackState:
    """What the provider says of one chargeback: `withdrawn_minor` is what it has taken out of our balance for it and
    not given back, `fee_minor` what it charges; `evidence_due_at` is until when it can be answered."""

    id: str
    payment_id: str
    status: Dispute
    amount_minor: int
    currency: str
    withdrawn_minor: int = 0
    fee_minor: int = 0
    reason: str = ""
    evidence_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A paper for the payer's bank: PDF, JPEG or PNG."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeState:
    """Somebody who can be paid out: `url` is where they give (or complete) what the provider wants to know."""

    id: str
    ready: bool
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """A plan as the provider has to know it; `interval` is month or year."""

    key: str
    name: str
    amount_minor: int
    currency: str
    interval: str


class Paid(StrEnum):
    """States of a subscription at a provider."""

    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """One subscription; `period_end` is until when it is paid for, `paid_minor` what all its invoices brought."""

    id: str
    status: Paid
    plan_key: str
    currency: str
    period_start: datetime | None
    period_end: datetime | None
    cancel_at_period_end: bool = False
    paid_minor: int = 0
    invoices: tuple["InvoiceState", ...] = ()
    client_secret: str = ""
    next_url: str = ""
    customer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceState:
    """One paid invoice of a subscription."""

    id: str
    amount_minor: int
    currency: str
    paid_at: datetime


class ResourceType(StrEnum):
    """Kinds of objects a webhook can be about."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAYOUT = "payout"
    PAYEE = "payee"
    CHARGEBACK = "chargeback"
    SUBSCRIPTION = "subscription"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """What a webhook says happened; the thing itself is fetched before anything is done."""

    event_id: str
    kind: str
    about: ResourceType
    object_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """What the provider's own book says of one payment, refund or payout."""

    about: ResourceType
    object_id: str
    key: str
    amount_minor: int
    currency: str
    made_at: datetime


class ProviderInfo(Protocol):
    """What the provider takes, and its public key."""

    name: str

    def public_key(self) -> str:
        """What a front end needs to talk to the provider itself; empty where it needs nothing."""

    def step(self, currency: str, *, paid_out: bool = False) -> int:
        """The smallest part it takes (or pays out), minor units; 0 for a currency it does not know."""


class Charges(Protocol):
    """Payments: authorised first, captured later. Each method raises Unreachable or Refused, `confirm` and `capture`
    also Declined."""

    def create(self, charge: Charge) -> PaymentState:
        """Ask for a payment that is authorised first and captured later; with `method` it is tried at once."""

    def confirm(self, payment_id: str, *, method: str | None, key: str) -> PaymentState:
        """Try to pay by this method (None: by what the payer gave the provider); raises Declined."""

    def fetch_payment(self, payment_id: str) -> PaymentState:
        """The payment's state; raises Unknown."""

    def find_payment(self, key: str) -> PaymentState | None:
        """The payment that was created with this key, where the answer got lost."""

    def capture(self, payment_id: str, *, amount_minor: int, key: str) -> PaymentState:
        """Take what was authorised; raises Declined where the bank does not keep its word."""

    def cancel(self, payment_id: str, *, key: str) -> PaymentState:
        """Give up what was not captured; one that is captured already is answered as it is."""


class Refunds(Protocol):
    """Sending back what was captured; raises Unreachable or Refused."""

    def refund(self, payment_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send (a part of) what was captured back."""

    def fetch_refund(self, refund_id: str) -> RefundState:
        """The refund's state; raises Unknown."""

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """All refunds of a payment, those too that were made at the provider by hand: they have none of our keys."""


class Chargebacks(Protocol):
    """Payments that the payer's bank disputes; raises Unreachable or Refused."""

    def fetch_chargeback(self, chargeback_id: str) -> ChargebackState:
        """The chargeback's state; raises Unknown."""

    def submit_evidence(
        self, chargeback_id: str, *, evidence: str, file: EvidenceFile | None = None, key: str
    ) -> ChargebackState:
        """Answer it with this text and paper; what was sent before is replaced where the provider allows it."""


class Onboarding(Protocol):
    """Letting somebody be paid; raises Unreachable or Refused."""

    def register_payee(self, *, payee_id: str | None, user_id: int, email: str, country: str, key: str) -> PayeeState:
        """Begin or go on with letting somebody be paid; None makes a new account at the provider."""

    def fetch_payee(self, payee_id: str) -> PayeeState:
        """Whether the payee can be paid out to; raises Unknown."""


class Payouts(Protocol):
    """Sending money to who earned it; raises Unreachable or Refused."""

    payouts_remembered: timedelta
    """For how long a payout that is sent again with the same key is made once."""

    def pay_out(self, *, payee_id: str, amount_minor: int, currency: str, key: str, reference: str) -> PayoutState:
        """Send money to a payee."""

    def fetch_payout(self, payout_id: str) -> PayoutState:
        """The payout's state; raises Unknown."""

    def find_payout(self, key: str) -> PayoutState | None:
        """The payout that was made with this key, where the answer got lost."""


class Subscriptions(Protocol):
    """Plans that are paid again and again; raises Unreachable or Refused, with a payer also Declined."""

    def subscribe(
        self, *, terms: PlanTerms, customer_id: str | None, user_id: int, email: str, method: str | None, key: str
    ) -> SubscriptionState:
        """Begin a subscription; the first invoice is to be paid by the payer."""

    def change_plan(self, subscription_id: str, *, terms: PlanTerms, key: str) -> SubscriptionState:
        """Go over to another plan now; the provider prorates what was paid."""

    def end_subscription(self, subscription_id: str, *, at_once: bool, key: str) -> SubscriptionState:
        """Stop at the end of what is paid for, or now."""

    def fetch_subscription(self, subscription_id: str) -> SubscriptionState:
        """The subscription's state; raises Unknown."""

    def find_subscription(self, key: str) -> SubscriptionState | None:
        """The subscription that was begun with this key, where the answer got lost."""

    def refund_invoice(self, invoice_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send (a part of) what paid an invoice back; it stands by `fetch_refund`, and in the book with its key."""


class Webhooks(Protocol):
    """Reading webhooks."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """The webhook's content; raises Forged for a wrong or stale signature."""


class SettlementReports(Protocol):
    """The provider's own record, to compare the ledger with; raises Unreachable or Refused."""

    def book(self, since: datetime, until: datetime) -> Iterator[SettlementLine]:
        """The provider's own record of what was captured, refunded and paid out in that time."""


class Provider(
    ProviderInfo,
    Charges,
    Refunds,
    Chargebacks,
    Onboarding,
    Payouts,
    Subscriptions,
    Webhooks,
    SettlementReports,
    Protocol,
):
    """One provider, with every ability; whoever uses it asks for the one they need."""
