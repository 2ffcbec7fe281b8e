"""What a provider says of a payment, refund or payout is taken over here, whether a confirmation, a webhook, a retry or
the reconciliation asked for it. A step is never undone: an answer older than what is known changes nothing.

Apart from the rooms: its verbs are the provider's, those of people stand in service.py.
"""

from sqlalchemy import select

from marketplace.core.database.db import db, locked_row
from marketplace.core.queues.outbox import publish
from marketplace.events.payments import PaymentFailed, PayoutSettled
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.payments import escrow, queries
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, UNPAID, PaymentStatus, PayoutStatus, RefundStatus
from marketplace.payments.models import POLL_AFTER, Payment, Payout, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.provider import Done, PaymentState, PayoutState, ProviderStatus, RefundState

OPEN_VERBS = {
    ProviderStatus.REQUIRES_PAYMENT_METHOD: (PaymentStatus.REQUIRES_PAYMENT_METHOD, "ask_method"),
    ProviderStatus.REQUIRES_ACTION: (PaymentStatus.REQUIRES_ACTION, "ask_action"),
    ProviderStatus.PROCESSING: (PaymentStatus.PROCESSING, "process"),
}


def put_off(payment: Payment) -> None:
    """Set the next poll: in a minute or a tenth of the payment's age, as one that nobody pays is polled for ever."""
    payment.next_poll_at = now() + max(POLL_AFTER, (now() - payment.created_at) / 10)


def apply_provider_state(payment_id: int, state: PaymentState) -> Payment:
    """Store the state of a payment; captured money is booked once, whatever came before."""
    payment = locked_row(Payment, payment_id)
    payment.provider_id = payment.provider_id or state.id
    put_off(payment)
    if state.status is ProviderStatus.CAPTURED:
        if payment.captured_at is None:
            escrow.hold(payment, state.captured_minor, state.available_from)
        elif state.available_from:
            for part in escrow.shares_of(payment):
                part.available_from = state.available_from
    elif state.status is ProviderStatus.CANCELLED:
        _give_up(payment, "cancel")
    elif payment.status in UNPAID:
        _go_on(payment, state)
    elif payment.status == PaymentStatus.AUTHORIZED:
        _still_authorized(payment, state)
    db.session.flush()
    return payment


def fail_payment(payment_id: int, failure: str) -> None:
    """End a payment that will never be captured."""
    payment = locked_row(Payment, payment_id)
    payment.failure = failure[:500]
    _give_up(payment, "fail")


def give_up(payment_id: int) -> None:
    """Cancel a payment that was called off before the provider heard of it."""
    _give_up(locked_row(Payment, payment_id), "cancel")


def forget(payment_id: int) -> None:
    """Cancel a payment the provider does not know any more, such as an order nobody approved in time."""
    payment = locked_row(Payment, payment_id)
    put_off(payment)
    if payment.status in UNPAID:
        _give_up(payment, "cancel")


def note_failure(payment_id: int, failure: str) -> None:
    """Store why the last try to pay failed; another try may work."""
    locked_row(Payment, payment_id).failure = failure[:500]
    db.session.flush()


def apply_refund_state(refund_id: int, state: RefundState) -> None:
    """Store the state of a refund; one that a bank returned goes to the payer's wallet."""
    payment, back = _locked_refund(refund_id)
    if back.provider_id is None and state.id in queries.names_of_refunds(payment.id):
        raise Conflict("This refund was taken over by another one meanwhile.")
    _apply_refund_state(payment, back, state)


def take_over(refund_id: int, parts: list[RefundState]) -> None:
    """Record refunds made by hand as refunds of their own, split off this one, and ask for the rest again. What they
    have beyond it is refunded here too."""
    payment, back = _locked_refund(refund_id)
    if back.status != RefundStatus.PENDING:
        return
    for state in parts:
        mine = min(state.amount_minor, back.amount_minor) if back.status == RefundStatus.PENDING else 0
        beyond = escrow.refund_also(payment, back, state.amount_minor - mine) if mine < state.amount_minor else []
        if mine:
            is_whole = mine == back.amount_minor
            beyond.append(back if is_whole else escrow.split_off(back, mine, key=f"found-{state.id}"))
        for one in beyond:
            _apply_refund_state(payment, one, state)
    if back.status == RefundStatus.PENDING:
        provider_requests_queue.ask("refund", "refund", back.id, key=f"{back.key}-{back.amount_minor}")


def _locked_refund(refund_id: int) -> tuple[Payment, Refund]:
    """A refund and its payment, which is locked first, as everywhere."""
    payment_id = db.session.scalars(select(Refund.payment_id).where(Refund.id == refund_id)).one()
    payment = locked_row(Payment, payment_id)
    return payment, locked_row(Refund, refund_id)


def _apply_refund_state(payment: Payment, back: Refund, state: RefundState) -> None:
    back.provider_id = back.provider_id or state.id or None
    if state.status is Done.DONE and back.status == RefundStatus.PENDING:
        escrow.finish_refund(payment, back)
    elif state.status is Done.FAILED and back.status != RefundStatus.FAILED:
        escrow.fail_refund(payment, back, state.failure)
    db.session.flush()


def apply_payout_state(payout_id: int, state: PayoutState) -> None:
    """Store the state of a payout; a bank may return one that was paid."""
    payout = locked_row(Payout, payout_id)
    payout.provider_id = payout.provider_id or state.id or None
    if state.status is Done.DONE and payout.status == PayoutStatus.SENT:
        payout.paid_at = now()
        _settle(payout, "pay", chart_of_accounts.going_out(payout), chart_of_accounts.at_provider(payout))
    elif state.status is Done.FAILED and payout.status in {PayoutStatus.SENT, PayoutStatus.PAID}:
        was_paid = payout.status == PayoutStatus.PAID
        payout.failure = state.failure[:500]
        source = chart_of_accounts.at_provider(payout) if was_paid else chart_of_accounts.going_out(payout)
        wallet = chart_of_accounts.available(payout.user_id, payout)
        _settle(payout, "give_back" if was_paid else "fail", source, wallet)
    db.session.flush()


def _go_on(payment: Payment, state: PaymentState) -> None:
    payment.client_secret = state.client_secret or payment.client_secret
    payment.next_url = state.next_url
    payment.failure = state.failure[:500]
    if state.status is ProviderStatus.AUTHORIZED:
        payment.failure = ""
        payment.advance("authorize", actor=SYSTEM)
    else:
        status, verb = OPEN_VERBS[state.status]
        if payment.status != status:
            payment.advance(verb, actor=SYSTEM)
    _request_intended_outcome(payment)


def _still_authorized(payment: Payment, state: PaymentState) -> None:
    """A capture that the provider delays, and its outcome."""
    if state.status is ProviderStatus.AUTHORIZED:
        _request_intended_outcome(payment)
    elif state.status is ProviderStatus.REQUIRES_PAYMENT_METHOD:
        payment.failure = state.failure[:500]
        _give_up(payment, "fail")


def _request_intended_outcome(payment: Payment) -> None:
    if payment.intended_outcome == escrow.CALL_OFF:
        provider_requests_queue.ask_anew("cancel", "payment", payment.id, key=f"cancel-{payment.key}")
    elif payment.status == PaymentStatus.AUTHORIZED:
        provider_requests_queue.ask_anew("capture", "payment", payment.id, key=f"capture-{payment.key}")


def _give_up(payment: Payment, verb: str) -> None:
    if payment.status not in {*UNPAID, PaymentStatus.AUTHORIZED}:
        return
    payment.advance(verb, actor=SYSTEM)
    payment.ended_at = now()
    payment.client_secret = payment.next_url = ""
    shares = escrow.shares_of(payment)
    for part in shares:
        part.advance("cancel", actor=SYSTEM)
        part.active_reference, part.ended_at = None, now()
        if verb == "fail":
            was_wanted = part.intended_outcome != escrow.CALL_OFF
            about = {"payment_id": payment.id, "share_id": part.id, "payer_id": payment.payer_id}
            publish(PaymentFailed(reference=part.reference, was_wanted=was_wanted, payee_id=part.payee_id, **about))
        if part.intended_outcome == escrow.HOLD:
            # Nobody counts on it any more: what is captured all the same goes back.
            part.intended_outcome = escrow.CALL_OFF
    if all(part.intended_outcome == escrow.CALL_OFF for part in shares):
        payment.intended_outcome = escrow.CALL_OFF
    db.session.flush()


def _settle(payout: Payout, verb: str, debit: Account, credit: Account) -> None:
    payout.advance(verb, actor=SYSTEM)
    db.session.flush()
    reference = f"payout:{payout.id}"
    kind = {"pay": "paid_out", "fail": "payout_failed", "give_back": "payout_returned"}[verb]
    post(
        [
            Posting(
                key=f"{reference}:{kind}",
                debit=debit,
                credit=credit,
                amount_minor=payout.amount_minor,
                kind=kind,
                reference=reference,
                subject=reference,
            )
        ]
    )
    told = PayoutSettled(
        payout_id=payout.id,
        user_id=payout.user_id,
        status=payout.status,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
    )
    publish(told)
