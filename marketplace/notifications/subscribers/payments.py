"""Which fact about money is told to whom; safe to repeat, as each names itself by a key."""

from marketplace.auth import queries as auth_queries
from marketplace.core.http.permissions import May, roles_with
from marketplace.core.queues.outbox import subscribe
from marketplace.events.payments import (
    ChargebackClosed,
    ChargebackOpened,
    EvidenceDue,
    PaymentFailed,
    PaymentHeld,
    PaymentReleased,
    PayoutHeld,
    PayoutSettled,
    RefundBegun,
    RefundFailed,
)
from marketplace.notifications import notification_builder
from marketplace.notifications.notification_builder import PaymentPart
from marketplace.payments import queries as payments_queries
from marketplace.payments.chargebacks import queries as chargebacks_queries
from marketplace.payments.escrow import CALL_OFF
from marketplace.payments.payouts import queries as payouts_queries


@subscribe(PaymentHeld)
def tell_both_it_is_held(event: PaymentHeld) -> None:
    """The work can begin, unless the deal is off meanwhile: then the payer hears of the refund."""
    if payments_queries.sides_of(event.share_id).intended_outcome == CALL_OFF:
        return
    amount, about = notification_builder.said(event.amount_minor, event.currency), _about(event)
    notification_builder.of_payment(event.payee_id, "payment_held", **about, amount=amount)
    notification_builder.of_payment(event.payer_id, "payment_secured", **about, amount=amount)


@subscribe(PaymentFailed)
def tell_of_failed_payment(event: PaymentFailed) -> None:
    """The payer may try again; whoever waits for the money waits on, unless the deal is off."""
    notification_builder.of_payment(event.payer_id, "payment_failed", **_about(event))
    if event.was_wanted:
        notification_builder.of_payment(event.payee_id, "payment_missing", **_about(event))


@subscribe(PaymentReleased)
def tell_both_it_is_paid(event: PaymentReleased) -> None:
    """The payee hears what came to the wallet, the payer what was paid for."""
    earned = notification_builder.said(event.amount_minor, event.currency)
    paid = notification_builder.said(event.gross_minor, event.currency)
    about = _about(event, "" if event.nth == 1 else f"{event.share_id}:{event.nth}")
    notification_builder.of_payment(event.payee_id, "payment_received", **about, amount=earned)
    notification_builder.of_payment(event.payer_id, "payment_released", **about, amount=paid)


@subscribe(RefundBegun)
def tell_payer_of_refund(event: RefundBegun) -> None:
    """It takes days until a bank shows it."""
    amount = notification_builder.said(event.amount_minor, event.currency)
    about = _about(event, str(event.refund_id))
    notification_builder.of_payment(event.payer_id, "refund_begun", **about, amount=amount)


@subscribe(RefundFailed)
def tell_payer_of_failed_refund(event: RefundFailed) -> None:
    """The money is in their wallet instead."""
    amount = notification_builder.said(event.amount_minor, event.currency)
    about = _about(event, str(event.refund_id))
    notification_builder.of_payment(event.payer_id, "refund_failed", **about, amount=amount)


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


@subscribe(ChargebackOpened)
def tell_of_opened_chargeback(event: ChargebackOpened) -> None:
    """Whoever is paid hears that the money waits, staff that the bank has to be answered."""
    _tell_payees(event.payment_id, "chargeback_opened", event.chargeback_id)
    _tell_staff("chargeback_to_answer", event.chargeback_id)


@subscribe(ChargebackClosed)
def tell_of_closed_chargeback(event: ChargebackClosed) -> None:
    """Won or lost."""
    _tell_payees(event.payment_id, f"chargeback_{event.status}", event.chargeback_id)
    _tell_staff(f"chargeback_was_{event.status}", event.chargeback_id)


@subscribe(EvidenceDue)
def tell_staff_of_evidence(event: EvidenceDue) -> None:
    """Nobody has answered, and the time ends."""
    _tell_staff("chargeback_answer_due", event.chargeback_id)


def _tell_payees(payment_id: int, kind: str, chargeback_id: int) -> None:
    for payee_id, share_id in chargebacks_queries.payees_of(payment_id).items():
        notification_builder.of_payment(payee_id, kind, str(chargeback_id), payment_id, share_id)


def _tell_staff(kind: str, chargeback_id: int) -> None:
    mine = chargebacks_queries.find(chargeback_id)
    if mine is None:
        return
    amount = notification_builder.said(mine.amount_minor, mine.currency)
    due = mine.evidence_due_at.date().isoformat() if mine.evidence_due_at else ""
    for user_id in auth_queries.ids_with_roles(roles_with(May.RUN_MONEY)):
        notification_builder.tell(user_id, kind, str(chargeback_id), chargeback_id, amount=amount, due=due)


def _about(
    event: PaymentHeld | PaymentFailed | PaymentReleased | RefundBegun | RefundFailed, key: str = ""
) -> PaymentPart:
    """Which share of which payment; each kind of news of a key (by default the share) comes once."""
    return PaymentPart(key=key or str(event.share_id), payment_id=event.payment_id, share_id=event.share_id)
