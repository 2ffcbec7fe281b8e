"""What a provider says of a payment, refund or payout, whoever asked: confirm, webhook, retry and reconciler all
end here. A step is never undone: what is older than what is known changes nothing."""

from marketplace.core.db import db, locked
from marketplace.core.outbox import publish
from marketplace.events.payments import PaymentFailed, PayoutSettled
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict
from marketplace.payments import accounts, calls, escrow, queries
from marketplace.payments.gateways.provider import Done, P, PaymentState, PayoutState, RefundState
from marketplace.payments.ledger.service import Account, Line, post
from marketplace.payments.lifecycle import PO, SYSTEM, UNPAID, R, S
from marketplace.payments.models import ASK_AFTER, Payment, Payout, Refund

OPEN_VERBS = {
    P.REQUIRES_PAYMENT_METHOD: (S.REQUIRES_PAYMENT_METHOD, "ask_method"),
    P.REQUIRES_ACTION: (S.REQUIRES_ACTION, "ask_action"),
    P.PROCESSING: (S.PROCESSING, "process"),
}


def put_off(payment: Payment) -> None:
    """When to ask again: after a minute, or a tenth of its age, as one that nobody pays is asked about for ever."""
    payment.ask_at = now() + max(ASK_AFTER, (now() - payment.created_at) / 10)


def apply_provider_state(payment_id: int, state: PaymentState) -> Payment:
    """Take over how a payment stands; money that was captured is booked once, whatever came before."""
    payment = locked(Payment, payment_id)
    payment.provider_id = payment.provider_id or state.id
    put_off(payment)
    if state.status is P.CAPTURED:
        if payment.captured_at is None:
            escrow.hold(payment, state.captured_minor)
    elif state.status is P.CANCELLED:
        _give_up(payment, "cancel")
    elif payment.status in UNPAID:
        _go_on(payment, state)
    elif payment.status == S.AUTHORIZED:
        _still_authorized(payment, state)
    db.session.flush()
    return payment


def fail_payment(payment_id: int, failure: str) -> None:
    """It will never be captured."""
    payment = locked(Payment, payment_id)
    payment.failure = failure[:500]
    _give_up(payment, "fail")


def give_up(payment_id: int) -> None:
    """It was called off before the provider heard of it."""
    _give_up(locked(Payment, payment_id), "cancel")


def forget(payment_id: int) -> None:
    """The provider knows it no more, as an order that nobody approved in time: it can only be begun anew."""
    payment = locked(Payment, payment_id)
    put_off(payment)
    if payment.status in UNPAID:
        _give_up(payment, "cancel")


def note_failure(payment_id: int, failure: str) -> None:
    """The last try did not work; another may."""
    locked(Payment, payment_id).failure = failure[:500]
    db.session.flush()


def apply_refund_state(refund_id: int, state: RefundState) -> None:
    """Take over how a refund stands; one that came back afterwards is the payer's to spend."""
    back = locked(Refund, refund_id)
    payment = locked(Payment, back.payment_id)
    if back.provider_id is None and state.id in queries.names_of_refunds(payment.id):
        raise Conflict("This refund was taken over by another one meanwhile.")
    back.provider_id = back.provider_id or state.id or None
    if state.status is Done.DONE and back.status == R.PENDING:
        escrow.finish_refund(payment, back)
    elif state.status is Done.FAILED and back.status != R.FAILED:
        escrow.fail_refund(payment, back, state.failure)
    db.session.flush()


def take_over(refund_id: int, parts: list[RefundState]) -> None:
    """What was sent by hand becomes refunds of its own, a part each; the rest is asked for once more."""
    back = locked(Refund, refund_id)
    if back.status != R.PENDING:
        return
    for state in parts:
        if state.amount_minor == back.amount_minor:
            apply_refund_state(back.id, state)
            return
        part = escrow.split_off(back, state.amount_minor, key=f"found-{state.id}")
        apply_refund_state(part.id, state)
    calls.ask("refund", "refund", back.id, key=f"{back.key}-{back.amount_minor}")


def apply_payout_state(payout_id: int, state: PayoutState) -> None:
    """Take over how a payout stands; a bank may return what was paid."""
    payout = locked(Payout, payout_id)
    payout.provider_id = payout.provider_id or state.id or None
    if state.status is Done.DONE and payout.status == PO.SENT:
        payout.paid_at = now()
        _settle(payout, "pay", accounts.going_out(payout), accounts.at_provider(payout))
    elif state.status is Done.FAILED and payout.status in {PO.SENT, PO.PAID}:
        was_paid = payout.status == PO.PAID
        payout.failure = state.failure[:500]
        source = accounts.at_provider(payout) if was_paid else accounts.going_out(payout)
        wallet = accounts.available(payout.user_id, payout)
        _settle(payout, "give_back" if was_paid else "fail", source, wallet)
    db.session.flush()


def _go_on(payment: Payment, state: PaymentState) -> None:
    payment.client_secret = state.client_secret or payment.client_secret
    payment.next_url = state.next_url
    payment.failure = state.failure[:500]
    if state.status is P.AUTHORIZED:
        payment.failure = ""
        payment.advance("authorize", actor=SYSTEM)
    else:
        status, verb = OPEN_VERBS[state.status]
        if payment.status != status:
            payment.advance(verb, actor=SYSTEM)
    _ask_what_is_wished(payment)


def _still_authorized(payment: Payment, state: PaymentState) -> None:
    """A capture that the provider kept waiting, and what became of it."""
    if state.status is P.AUTHORIZED:
        _ask_what_is_wished(payment)
    elif state.status is P.REQUIRES_PAYMENT_METHOD:
        payment.failure = state.failure[:500]
        _give_up(payment, "fail")


def _ask_what_is_wished(payment: Payment) -> None:
    if payment.wish == escrow.CALL_OFF:
        calls.ask_anew("cancel", "payment", payment.id, key=f"cancel-{payment.key}")
    elif payment.status == S.AUTHORIZED:
        calls.ask_anew("capture", "payment", payment.id, key=f"capture-{payment.key}")


def _give_up(payment: Payment, verb: str) -> None:
    if payment.status not in {*UNPAID, S.AUTHORIZED}:
        return
    payment.advance(verb, actor=SYSTEM)
    payment.open_for, payment.ended_at = None, now()
    payment.client_secret = payment.next_url = ""
    was_wanted = payment.wish != escrow.CALL_OFF
    if payment.wish == escrow.HOLD:
        payment.wish = escrow.CALL_OFF  # nobody counts on it any more: what is captured all the same goes back
    db.session.flush()
    if verb == "fail":
        told = {"payment_id": payment.id, "payer_id": payment.payer_id, "payee_id": payment.payee_id}
        publish(PaymentFailed(reference=payment.reference, was_wanted=was_wanted, **told))


def _settle(payout: Payout, verb: str, debit: Account, credit: Account) -> None:
    payout.advance(verb, actor=SYSTEM)
    db.session.flush()
    reference = f"payout:{payout.id}"
    kind = {"pay": "paid_out", "fail": "payout_failed", "give_back": "payout_returned"}[verb]
    post(
        [
            Line(
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
