"""Which fact about money is told to whom; safe to repeat, as each names itself by a key."""

from marketplace.core.outbox import subscribe
from marketplace.events.payments import (
    PaymentFailed,
    PaymentHeld,
    PaymentReleased,
    PayoutHeld,
    PayoutSettled,
    RefundBegun,
    RefundFailed,
)
from marketplace.notifications import news
from marketplace.payments import queries as payments
from marketplace.payments.escrow import CALL_OFF


@subscribe(PaymentHeld)
def tell_both_it_is_held(event: PaymentHeld) -> None:
    """The work can begin, unless the deal is off meanwhile: then the payer hears of the refund."""
    if payments.sides_of(event.payment_id).wish == CALL_OFF:
        return
    amount, key = news.said(event.amount_minor, event.currency), str(event.payment_id)
    news.of_payment(event.payee_id, "payment_held", key, event.payment_id, amount=amount)
    news.of_payment(event.payer_id, "payment_secured", key, event.payment_id, amount=amount)


@subscribe(PaymentFailed)
def tell_of_failed_payment(event: PaymentFailed) -> None:
    """The payer may try again; whoever waits for the money waits on, unless the deal is off."""
    key = str(event.payment_id)
    news.of_payment(event.payer_id, "payment_failed", key, event.payment_id)
    if event.was_wanted:
        news.of_payment(event.payee_id, "payment_missing", key, event.payment_id)


@subscribe(PaymentReleased)
def tell_both_it_is_paid(event: PaymentReleased) -> None:
    """The payee hears what came to the wallet, the payer what the receipt is for."""
    earned, key = news.said(event.amount_minor, event.currency), str(event.payment_id)
    news.of_payment(event.payee_id, "payment_received", key, event.payment_id, amount=earned)
    captured = payments.sides_of(event.payment_id).captured_minor
    paid = news.said(captured, event.currency)
    news.of_payment(event.payer_id, "payment_released", key, event.payment_id, amount=paid)


@subscribe(RefundBegun)
def tell_payer_of_refund(event: RefundBegun) -> None:
    """It takes days until a bank shows it."""
    amount = news.said(event.amount_minor, event.currency)
    news.of_payment(event.payer_id, "refund_begun", str(event.refund_id), event.payment_id, amount=amount)


@subscribe(RefundFailed)
def tell_payer_of_failed_refund(event: RefundFailed) -> None:
    """The money is in their wallet instead."""
    amount = news.said(event.amount_minor, event.currency)
    news.of_payment(event.payer_id, "refund_failed", str(event.refund_id), event.payment_id, amount=amount)


@subscribe(PayoutSettled)
def tell_of_settled_payout(event: PayoutSettled) -> None:
    """Paid, failed or returned."""
    kind = f"payout_{event.status}"
    news.of_payout(event.user_id, kind, event.payout_id, event.amount_minor, event.currency)


@subscribe(PayoutHeld)
def tell_of_held_payout(event: PayoutHeld) -> None:
    """It waits for somebody of the staff."""
    news.of_payout(event.user_id, "payout_held", event.payout_id, *payments.amount_of_payout(event.payout_id))
