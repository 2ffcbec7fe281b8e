"""Facts about money."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentHeld(Event):
    """The payer's money for one share of a payment is in escrow."""

    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    payee_id: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Event):
    """The bank or the provider refused: nothing is held for this share; `was_wanted` unless the deal was off before."""

    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    payee_id: int
    was_wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReleased(Event):
    """Escrow went to the payee for the `nth` time: `gross_minor`, less the marketplace's fee `amount_minor`."""

    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    payee_id: int
    nth: int
    amount_minor: int
    gross_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundBegun(Event):
    """Money of a payment is on its way back to the payer."""

    refund_id: int
    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    payee_id: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(Event):
    """A refund could not go back the way it came and is in the payer's wallet instead."""

    refund_id: int
    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSettled(Event):
    """A payout came to an end: paid, failed or returned (then the money is in the wallet again)."""

    payout_id: int
    user_id: int
    status: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutHeld(Event):
    """A payout waits for staff to approve it."""

    payout_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackOpened(Event):
    """The payer's bank disputes a payment: its money stays where it is."""

    chargeback_id: int
    payment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackClosed(Event):
    """The bank has decided: won (the money stays with us) or lost (it went back to the payer)."""

    chargeback_id: int
    payment_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDue(Event):
    """The time to answer a chargeback ends, and nobody has."""

    chargeback_id: int
