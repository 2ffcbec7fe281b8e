"""Which fact about money is told to whom; safe to repeat, as each names itself by a key."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.payments import (
    PaymentFailed,
    PaymentHeld,
    PaymentReleased,
    PayoutHeld,
    PayoutSettled,
    RefundBegun,
    RefundFailed,
)
from marketplace.notifications import notification_builder
from marketplace.payments import queries as payments_queries
from marketplace.payments.escrow import CALL_OFF
from marketplace.payments.payouts import queries as payouts_queries


@subscribe(PaymentHeld)
def tell_both_it_is_held(event: PaymentHeld) -> None:
    """The work can begin, unless the deal is off meanwhile: then the payer hears of the refund."""
    if payments_queries.sides_of(event.payment_id).intended_outcome == CALL_OFF:
        return
    amount, key = notification_builder.said(event.amount_minor, event.currency), str(event.payment_id)
    notification_builder.of_payment(event.payee_id, "payment_held", key, event.payment_id, amount=amount)
    notification_builder.of_payment(event.payer_id, "payment_secured", key, event.payment_id, amount=amount)


@subscribe(PaymentFailed)
def tell_of_failed_payment(event: PaymentFailed) -> None:
    """The payer may try again; whoever waits for the money waits on, unless the deal is off."""
    key = str(event.payment_id)
    notification_builder.of_payment(event.payer_id, "payment_failed", key, event.payment_id)
    if event.was_wanted:
        notification_builder.of_payment(event.payee_id, "payment_missing", key, event.payment_id)


@subscribe(PaymentReleased)
def tell_both_it_is_paid(event: PaymentReleased) -> None:
    """The payee hears what came to the wallet, the payer what the receipt is for."""
    earned, key = notification_builder.said(event.amount_minor, event.currency), str(event.payment_id)
    notification_builder.of_payment(event.payee_id, "payment_received", key, event.payment_id, amount=earned)
    captured = payments_queries.sides_of(event.payment_id).captured_minor
    paid = notification_builder.said(captured, event.currency)
    notification_builder.of_payment(event.payer_id, "payment_released", key, event.payment_id, amount=paid)


@subscribe(RefundBegun)
def tell_payer_of_refund(event: RefundBegun) -> None:
    """It takes days until a bank shows it."""
    amount = notification_builder.said(event.amount_minor, event.currency)
    notification_builder.of_payment(
        event.payer_id, "refund_begun", str(event.refund_id), event.payment_id, amount=amount
    )


@subscribe(RefundFailed)
def tell_payer_of_failed_refund(event: RefundFailed) -> None:
    """The money is in their wallet instead."""
    amount = notification_builder.said(event.amount_minor, event.currency)
    notification_builder.of_payment(
        event.payer_id, "refund_failed", str(event.refund_id), event.payment_id, amount=amount
    )


@subscribe(PayoutSettled)
def tell_of_settled_payout(event: PayoutSettled) -> None:
    """Paid, failed or returned."""
    kind = f"payout_{event.status}"
    notification_builder.of_payout(event.user_id, kind, event.payout_id, event.amount_minor, event.currency)


@subscribe(PayoutHeld)
def tell_of_held_payout(event: PayoutHeld) -> None:
    """It waits for somebody of the staff."""
    notification_builder.of_payout(
        event.user_id, "payout_held", event.payout_id, *payouts_queries.amount_of(event.payout_id)
    )
