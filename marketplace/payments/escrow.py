"""A payment's money in the ledger: into escrow, to the payee, back to the payer. Each in the caller's transaction.

Apart from the rooms: the ledger's side of a payment, which the verbs of people (service.py) and the answers of
providers (provider_sync.py) share.
"""

from typing import TypedDict

from marketplace.core.database.db import db, save
from marketplace.core.queues.outbox import publish
from marketplace.events.payments import PaymentHeld, PaymentReleased, RefundBegun, RefundFailed
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.money import Money, share
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, PaymentStatus, RefundStatus
from marketplace.payments.models import Payment, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.receipts import service as receipts_service

HOLD, RELEASE, CALL_OFF = "hold", "release", "call_off"
LONGEST_KEY = 64
BY_HAND = "refund_by_hand"  # a refund that may have been sent at the provider itself


def hold(payment: Payment, captured_minor: int) -> None:
    """Book captured money into escrow with a receipt, then release or refund it where the deal asked for that
    meanwhile."""
    payment.captured_minor, payment.captured_at = captured_minor, now()
    payment.failure = payment.client_secret = payment.next_url = ""
    payment.advance("capture", actor=SYSTEM)
    db.session.flush()
    source, into = chart_of_accounts.at_provider(payment), chart_of_accounts.escrow(payment)
    post([_of_payment(payment, "hold", source, into, captured_minor)])
    receipts_service.receipt(payment)
    publish(PaymentHeld(**_told(payment), amount_minor=captured_minor, currency=payment.currency))
    if payment.intended_outcome == RELEASE:
        release(payment)
    elif payment.intended_outcome == CALL_OFF:
        refund(payment, left(payment), reason="called off")


def left(payment: Payment) -> int:
    """Captured less refunded, minor units."""
    return payment.captured_minor - payment.refunded_minor


def release(payment: Payment) -> None:
    """Pay all that is in escrow to the payee, less fee and tax in the quote's proportions."""
    amount = left(payment)
    payee, fee, tax = share(amount, (payment.payee_minor, payment.fee_minor, payment.tax_minor))
    payment.paid_payee_minor, payment.paid_fee_minor, payment.paid_tax_minor = payee, fee, tax
    _end(payment, "release")
    to = {
        "release": (chart_of_accounts.available(payment.payee_id, payment), payee),
        "fee": (chart_of_accounts.fees(payment), fee),
        "tax": (chart_of_accounts.taxes(payment), tax),
    }
    source = chart_of_accounts.escrow(payment)
    post([_of_payment(payment, kind, source, account, part) for kind, (account, part) in to.items()])
    publish(PaymentReleased(**_told(payment), amount_minor=payee, currency=payment.currency))


def refund(
    payment: Payment,
    amount_minor: int,
    *,
    reason: str = "",
    by_id: int | None = None,
    allow_negative: bool = True,
    by_hand: bool = False,
) -> Refund:
    """Refund this much: out of escrow, or, once released, from whoever got a part of it. With `allow_negative` the
    payee's wallet may fall below zero, which later earnings level. `by_hand`: it may have been sent at the provider
    itself, which is looked up first. Raises Invalid (422), NotEnough (409)."""
    if amount_minor <= 0:
        raise Invalid.field("amount", "More than nothing has to go back.")
    if amount_minor > left(payment):
        most = Money(left(payment), payment.currency).exact
        raise Invalid.field("amount", f"At most {most} {payment.currency} of this payment can go back.")
    back = save(
        Refund(
            key=f"refund-{payment.key}-{payment.refunded_minor}",
            payment_id=payment.id,
            amount_minor=amount_minor,
            currency=payment.currency,
            reason=reason,
            by_id=by_id,
        )
    )
    lines = _out_of_escrow(payment, back) if payment.status == PaymentStatus.HELD else _clawed_back(payment, back)
    post(lines, allow_negative=allow_negative)
    payment.refunded_minor += amount_minor
    if left(payment) == 0:
        _end(payment, "refund")
    db.session.flush()
    provider_requests_queue.ask(BY_HAND if by_hand else "refund", "refund", back.id, key=back.key)
    told = _told(payment)
    publish(RefundBegun(refund_id=back.id, **told, amount_minor=amount_minor, currency=payment.currency))
    return back


def split_off(back: Refund, amount_minor: int, *, key: str) -> Refund:
    """Make a part of a pending refund a refund of its own; their sum stays."""
    back.amount_minor -= amount_minor
    of = {"payment_id": back.payment_id, "currency": back.currency, "reason": back.reason, "by_id": back.by_id}
    return save(Refund(key=key[:LONGEST_KEY], amount_minor=amount_minor, **of))


def finish_refund(payment: Payment, back: Refund) -> None:
    """Book a refund that the provider has sent, with a credit note."""
    back.advance("finish", actor=SYSTEM)
    db.session.flush()
    to = chart_of_accounts.at_provider(payment)
    post([_line(payment, back, "refunded", debit=chart_of_accounts.refunds_in_transit(payment), credit=to)])
    receipts_service.credit_note(payment, back)


def fail_refund(payment: Payment, back: Refund, failure: str) -> None:
    """Book a refund that the provider could not send into the payer's wallet, with a credit note."""
    was_out = back.status == RefundStatus.DONE
    back.failure = failure[:500]
    back.advance("fail", actor=SYSTEM)
    db.session.flush()
    source = chart_of_accounts.at_provider(payment) if was_out else chart_of_accounts.refunds_in_transit(payment)
    wallet = chart_of_accounts.available(payment.payer_id, payment)
    post([_line(payment, back, "refund_failed", debit=source, credit=wallet)])
    receipts_service.credit_note(payment, back)
    publish(
        RefundFailed(
            refund_id=back.id,
            payment_id=payment.id,
            reference=payment.reference,
            payer_id=payment.payer_id,
            amount_minor=back.amount_minor,
            currency=back.currency,
        )
    )


def _out_of_escrow(payment: Payment, back: Refund) -> list[Posting]:
    return [
        _line(
            payment,
            back,
            "refund",
            debit=chart_of_accounts.escrow(payment),
            credit=chart_of_accounts.refunds_in_transit(payment),
        )
    ]


def _clawed_back(payment: Payment, back: Refund) -> list[Posting]:
    """The postings that take a released amount back from payee, fee and tax in proportion; the largest remainder never
    takes more than a part has."""
    had = (payment.paid_payee_minor, payment.paid_fee_minor, payment.paid_tax_minor)
    payee, fee, tax = share(back.amount_minor, had)
    payment.paid_payee_minor -= payee
    payment.paid_fee_minor -= fee
    payment.paid_tax_minor -= tax
    sources = {
        "clawback": (chart_of_accounts.available(payment.payee_id, payment), payee),
        "fee_back": (chart_of_accounts.fees(payment), fee),
        "tax_back": (chart_of_accounts.taxes(payment), tax),
    }
    to = chart_of_accounts.refunds_in_transit(payment)
    return [
        _line(payment, back, kind, debit=debit, credit=to, amount_minor=part) for kind, (debit, part) in sources.items()
    ]


def _of_payment(payment: Payment, kind: str, debit: Account, credit: Account, amount_minor: int) -> Posting:
    subject = f"payment:{payment.id}"
    return Posting(
        key=f"{subject}:{kind}",
        debit=debit,
        credit=credit,
        amount_minor=amount_minor,
        kind=kind,
        reference=payment.reference,
        subject=subject,
    )


def _line(
    payment: Payment, back: Refund, kind: str, *, debit: Account, credit: Account, amount_minor: int | None = None
) -> Posting:
    return Posting(
        key=f"refund:{back.id}:{kind}",
        debit=debit,
        credit=credit,
        amount_minor=back.amount_minor if amount_minor is None else amount_minor,
        kind=kind,
        reference=payment.reference,
        subject=f"refund:{back.id}",
    )


def _end(payment: Payment, verb: str) -> None:
    payment.active_reference, payment.ended_at = None, now()
    payment.advance(verb, actor=SYSTEM)
    db.session.flush()


class _Told(TypedDict):
    """The fields that every event about a payment has."""

    payment_id: int
    reference: str
    payer_id: int
    payee_id: int


def _told(payment: Payment) -> _Told:
    return _Told(
        payment_id=payment.id, reference=payment.reference, payer_id=payment.payer_id, payee_id=payment.payee_id
    )
