"""A payment's money in the ledger, share by share: into escrow, to the payee, back to the payer. Each in the caller's
transaction, the payment locked first, then its shares by id.

Apart from the rooms: the ledger's side of a payment, which the verbs of people (service.py) and the answers of
providers (provider_sync.py) share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import select

from marketplace.core.database.db import db, locked, save
from marketplace.core.queues.outbox import publish
from marketplace.events.payments import PaymentHeld, PaymentReleased, RefundBegun, RefundFailed
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed
from marketplace.kit.money import Money, share
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, PaymentStatus, RefundStatus, ShareStatus
from marketplace.payments.models import Payment, PaymentShare, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.receipts import service as receipts_service

HOLD, RELEASE, CALL_OFF = "hold", "release", "call_off"
LONGEST_KEY = 64
BY_HAND = "refund_by_hand"  # a refund that may have been sent at the provider itself
ACCEPTED = "refund_accepted"  # one of which more was sent there, and staff bear that


class Frozen(Conflict):
    """409: the payer's bank disputes the payment, so its money stays where it is."""

    code = "chargeback_open"
    sentence = "The payer's bank disputes this payment. Its money stays where it is until the bank has decided."


def shares_of(payment: Payment) -> list[PaymentShare]:
    """Its shares by id as they are now, locked until the commit."""
    db.session.flush()
    mine = select(PaymentShare).where(PaymentShare.payment_id == payment.id).order_by(PaymentShare.id)
    return list(db.session.scalars(locked(mine)))


def hold(payment: Payment, captured_minor: int, available_from: datetime | None = None) -> None:
    """Book captured money into the shares' escrow with a receipt, then release or refund what the deals asked for
    meanwhile. It can be paid out `available_from`, at once where the provider names no time."""
    payment.captured_minor, payment.captured_at = captured_minor, now()
    payment.failure = payment.client_secret = payment.next_url = ""
    payment.advance("capture", actor=SYSTEM)
    shares = shares_of(payment)
    parts = share(captured_minor, [one.amount_minor for one in shares])
    for one in shares:
        one.available_from = available_from or payment.captured_at
    post([line for one, part in zip(shares, parts, strict=True) for line in _into_escrow(payment, one, part)])
    receipts_service.receipts(payment, shares)
    for one in shares:
        publish(PaymentHeld(**_told(payment, one), amount_minor=one.captured_minor, currency=payment.currency))
    for one in shares:
        carry_out(payment, one)


def carry_out(payment: Payment, part: PaymentShare) -> None:
    """Do with what is in escrow what its deal has asked for; nothing while the payment is frozen."""
    if payment.is_frozen or part.status != ShareStatus.HELD:
        return
    if part.intended_outcome == RELEASE:
        release(payment, part)
    elif part.intended_outcome == CALL_OFF:
        give_back(payment, part, reason="called off")


def release(payment: Payment, part: PaymentShare, amount_minor: int | None = None) -> None:
    """Pay this much of a share's escrow (all, by default) to its payee, less fee and tax in the proportion of what is
    left of each. Raises Frozen (409)."""
    demand_not_frozen(payment)
    amount = part.held_minor if amount_minor is None else amount_minor
    paid = _Parts.of(amount, part.payee_left_minor, part.fee_left_minor, part.tax_left_minor)
    part.payee_left_minor -= paid.payee
    part.fee_left_minor -= paid.fee
    part.tax_left_minor -= paid.tax
    part.paid_payee_minor += paid.payee
    part.paid_fee_minor += paid.fee
    part.paid_tax_minor += paid.tax
    part.releases += 1
    _settle(payment, part)
    subject = f"release:{part.id}:{part.releases}"
    to = {
        "release": (chart_of_accounts.available(part.payee_id, payment), paid.payee),
        "fee": (chart_of_accounts.fees(payment), paid.fee),
        "tax": (chart_of_accounts.taxes(payment), paid.tax),
    }
    source = chart_of_accounts.escrow(payment, part)
    post([_line(part, subject, kind, (source, account), minor) for kind, (account, minor) in to.items()])
    told, currency = _told(payment, part), payment.currency
    publish(PaymentReleased(**told, nth=part.releases, amount_minor=paid.payee, gross_minor=amount, currency=currency))


def give_back(payment: Payment, part: PaymentShare, *, reason: str, by_id: int | None = None) -> None:
    """Send back all that a share has in escrow: the payer's money to the payer, a subsidy to the marketplace."""
    divide(payment, part, 0, reason=reason, by_id=by_id)


def divide(payment: Payment, part: PaymentShare, to_payee_minor: int, *, reason: str, by_id: int | None = None) -> None:
    """Pay this much of a share's escrow (before the fee) to the payee and give back the rest. Raises Frozen (409)."""
    demand_not_frozen(payment)
    back = part.held_minor - to_payee_minor
    if back:
        subsidy = part.subsidy_minor - part.unsubsidized_minor
        paid, _ = share(back, (part.refundable_minor, subsidy))
        if paid:
            refund(payment, part, paid, reason=reason, by_id=by_id, subsidy_minor=back - paid)
        else:
            take_back(payment, part, 0, back, to=chart_of_accounts.promotions(payment), subject=f"share:{part.id}")
            _settle(payment, part)
    if to_payee_minor:
        release(payment, part)


def refund(
    payment: Payment,
    part: PaymentShare,
    amount_minor: int,
    *,
    reason: str = "",
    by_id: int | None = None,
    allow_negative: bool = True,
    asks: str = "refund",
    subsidy_minor: int | None = None,
) -> Refund:
    """Refund this much of a share to the payer: out of its escrow, then from whoever got a part of it; a subsidy goes
    back in proportion. With `allow_negative` the payee's wallet may fall below zero, which later earnings level.
    `asks` is what the provider is asked: BY_HAND where it may have been sent there, which is looked up first; nothing
    (empty) where it has been. Raises Invalid (422), NotEnough, Frozen (409)."""
    demand_not_frozen(payment)
    if amount_minor <= 0:
        raise Invalid.field("amount", "More than nothing has to go back.")
    if amount_minor > part.refundable_minor:
        most = Money(part.refundable_minor, payment.currency).exact
        raise Invalid.field("amount", f"At most {most} {payment.currency} of this payment can go back.")
    back = save(
        Refund(
            key=f"refund-{payment.key}-{payment.refunded_minor}",
            payment_id=payment.id,
            share_id=part.id,
            amount_minor=amount_minor,
            currency=payment.currency,
            reason=reason,
            by_id=by_id,
        )
    )
    with_it = subsidy_of(part, amount_minor) if subsidy_minor is None else subsidy_minor
    to = chart_of_accounts.refunds_in_transit(payment)
    undone = take_back(
        payment, part, amount_minor, with_it, to=to, subject=f"refund:{back.id}", allow_negative=allow_negative
    )
    back.fee_minor, back.tax_minor = undone.fee, undone.tax
    part.refunded_minor += amount_minor
    payment.refunded_minor += amount_minor
    _settle(payment, part)
    if asks:
        provider_requests_queue.ask(asks, "refund", back.id, key=back.key)
    told = _told(payment, part)
    publish(RefundBegun(refund_id=back.id, **told, amount_minor=amount_minor, currency=payment.currency))
    return back


def subsidy_of(part: PaymentShare, amount_minor: int) -> int:
    """What goes back to the marketplace with this much of the payer's money: in proportion, half up, all with all."""
    whole, there = part.refundable_minor, part.subsidy_minor - part.unsubsidized_minor
    return there if amount_minor == whole else (2 * there * amount_minor + whole) // (2 * whole)


def take_back(
    payment: Payment,
    part: PaymentShare,
    amount_minor: int,
    subsidy_minor: int,
    *,
    to: Account,
    subject: str,
    allow_negative: bool = True,
) -> "_Parts":
    """Post this much of the payer's money and of the subsidy out of a share: from its escrow, then from what payee, fee
    and tax have got of it, in the proportion of what each has. The money goes to `to`, the subsidy to the marketplace.
    Returns what each of the three gave. Raises NotEnough (409)."""
    wanted = amount_minor + subsidy_minor
    held = _Parts.of(min(wanted, part.held_minor), part.payee_left_minor, part.fee_left_minor, part.tax_left_minor)
    paid = _Parts.of(wanted - held.total, part.paid_payee_minor, part.paid_fee_minor, part.paid_tax_minor)
    part.payee_left_minor -= held.payee
    part.fee_left_minor -= held.fee
    part.tax_left_minor -= held.tax
    part.paid_payee_minor -= paid.payee
    part.paid_fee_minor -= paid.fee
    part.paid_tax_minor -= paid.tax
    part.unsubsidized_minor += subsidy_minor
    db.session.flush()
    promotions = chart_of_accounts.promotions(payment)
    kind = "subsidy_back" if to == promotions else subject.partition(":")[0]
    sources = {
        kind: (chart_of_accounts.escrow(payment, part), held.total),
        "clawback": (chart_of_accounts.available(part.payee_id, payment), paid.payee),
        "fee_back": (chart_of_accounts.fees(payment), paid.fee),
        "tax_back": (chart_of_accounts.taxes(payment), paid.tax),
    }
    lines = [_line(part, subject, name, (source, to), minor) for name, (source, minor) in sources.items()]
    if to != promotions:
        lines.append(_line(part, subject, "subsidy_back", (to, promotions), subsidy_minor))
    post(lines, allow_negative=allow_negative)
    return _Parts(held.payee + paid.payee, held.fee + paid.fee, held.tax + paid.tax)


def split_off(back: Refund, amount_minor: int, *, key: str) -> Refund:
    """Make a part of a pending refund a refund of its own; their sums stay."""
    whole = back.amount_minor
    undone = {name: getattr(back, name) * amount_minor // whole for name in ("fee_minor", "tax_minor")}
    back.amount_minor -= amount_minor
    for name, minor in undone.items():
        setattr(back, name, getattr(back, name) - minor)
    of = {name: getattr(back, name) for name in ("payment_id", "share_id", "currency", "reason", "by_id")}
    return save(Refund(key=key[:LONGEST_KEY], amount_minor=amount_minor, **of, **undone))


def charge_back(payment: Payment, part: PaymentShare, amount_minor: int, *, to: Account, subject: str) -> None:
    """Book what the payer's bank took back of a share, out of its escrow, then from whoever got a part of it; wallets
    may fall below zero."""
    take_back(payment, part, amount_minor, subsidy_of(part, amount_minor), to=to, subject=subject)
    part.lost_minor += amount_minor
    payment.lost_minor += amount_minor
    _settle(payment, part)


def finish_refund(payment: Payment, back: Refund, *, to: Account | None = None) -> None:
    """Book a refund that the provider has sent (or, to another account, somebody else in its place), with a credit
    note."""
    back.advance("finish", actor=SYSTEM)
    part = _share_of(back)
    sides = (chart_of_accounts.refunds_in_transit(payment), to or chart_of_accounts.at_provider(payment))
    post([_line(part, f"refund:{back.id}", "refunded", sides, back.amount_minor)])
    receipts_service.credit_note(payment, part, back)


def refund_also(payment: Payment, back: Refund, minor: int) -> list[Refund]:
    """Refunds of what was sent back by hand beyond this one: of its share as far as that goes, then of the others."""
    found = []
    for part in sorted(shares_of(payment), key=lambda part: (part.id != back.share_id, part.id)):
        here = min(minor, part.refundable_minor)
        if here:
            found.append(refund(payment, part, here, reason=back.reason, by_id=back.by_id, asks=""))
            minor -= here
    return found


def reclaim_failed(payment: Payment, minor: int, *, to: Account, subject: str) -> int:
    """Take from the payer's wallet, below zero too, what refunds that could not be sent have put there, up to this
    much; returns how much that was."""
    failed = select(Refund).where(Refund.payment_id == payment.id, Refund.status == RefundStatus.FAILED)
    taken = 0
    for back in db.session.scalars(locked(failed.order_by(Refund.id))).all():
        part = min(minor - taken, back.amount_minor - back.reclaimed_minor)
        if part:
            back.reclaimed_minor += part
            sides = (chart_of_accounts.available(payment.payer_id, payment), to)
            post([_line(_share_of(back), f"{subject}:{back.id}", "reclaimed", sides, part)])
            taken += part
    db.session.flush()
    return taken


def fail_refund(payment: Payment, back: Refund, failure: str) -> None:
    """Book a refund that the provider could not send into the payer's wallet, with a credit note."""
    was_out = back.status == RefundStatus.DONE
    back.failure = failure[:500]
    back.advance("fail", actor=SYSTEM)
    part = _share_of(back)
    source = chart_of_accounts.at_provider(payment) if was_out else chart_of_accounts.refunds_in_transit(payment)
    wallet = chart_of_accounts.available(payment.payer_id, payment)
    post([_line(part, f"refund:{back.id}", "refund_failed", (source, wallet), back.amount_minor)])
    if not was_out:  # one that a bank returned has its credit note
        receipts_service.credit_note(payment, part, back)
    publish(
        RefundFailed(
            refund_id=back.id,
            payment_id=payment.id,
            share_id=part.id,
            reference=part.reference,
            payer_id=payment.payer_id,
            amount_minor=back.amount_minor,
            currency=back.currency,
        )
    )


def demand_not_frozen(payment: Payment) -> None:
    """Raises Frozen (409)."""
    if payment.is_frozen:
        raise Frozen()


def demand_no_side(payment: Payment, user_id: int) -> None:
    """Raises NotAllowed (403) for whoever pays it or is paid by it: nobody decides about their own money."""
    if user_id in {payment.payer_id, *(part.payee_id for part in shares_of(payment))}:
        raise NotAllowed("Somebody else has to decide about your own payment.")


@dataclass(frozen=True, slots=True)
class _Parts:
    """An amount as payee, fee and tax have it, minor units."""

    payee: int
    fee: int
    tax: int

    @classmethod
    def of(cls, amount_minor: int, *weights: int) -> "_Parts":
        """By the largest remainder, which never takes more than a part has."""
        return cls(*share(amount_minor, weights)) if amount_minor else cls(0, 0, 0)

    @property
    def total(self) -> int:
        """All three."""
        return self.payee + self.fee + self.tax


def _into_escrow(payment: Payment, part: PaymentShare, captured_minor: int) -> list[Posting]:
    """The postings of a share's capture and subsidy; what is left to share is as quoted."""
    whole = captured_minor + part.subsidy_minor
    parts = _Parts.of(whole, part.payee_minor, part.fee_minor, part.tax_minor)
    part.captured_minor = captured_minor
    part.payee_left_minor, part.fee_left_minor, part.tax_left_minor = parts.payee, parts.fee, parts.tax
    part.advance("hold", actor=SYSTEM)
    db.session.flush()
    into, subject = chart_of_accounts.escrow(payment, part), f"payment:{payment.id}"
    source, promotions = chart_of_accounts.at_provider(payment), chart_of_accounts.promotions(payment)
    return [
        _line(part, subject, "hold", (source, into), captured_minor),
        _line(part, subject, "subsidy", (promotions, into), part.subsidy_minor),
    ]


def _line(part: PaymentShare, subject: str, kind: str, sides: tuple[Account, Account], amount_minor: int) -> Posting:
    """A posting about a share, from the first account to the second; what is done for a subject is done once."""
    is_of_share = subject.startswith(("refund:", "release:"))
    return Posting(
        key=f"{subject}:{kind}" if is_of_share else f"{subject}:{part.id}:{kind}",
        debit=sides[0],
        credit=sides[1],
        amount_minor=amount_minor,
        kind=kind,
        reference=part.reference,
        subject=subject,
    )


def _settle(payment: Payment, part: PaymentShare) -> None:
    """End a share whose escrow is empty, and the payment with its last share."""
    has_got = part.paid_payee_minor + part.paid_fee_minor + part.paid_tax_minor
    if part.held_minor == 0 and (part.status == ShareStatus.HELD or has_got == 0):
        part.active_reference, part.ended_at = None, now()
        part.advance("release" if has_got else "refund", actor=SYSTEM)
        _end(payment, shares_of(payment))
    db.session.flush()


def _end(payment: Payment, shares: Sequence[PaymentShare]) -> None:
    stands = {one.status for one in shares}
    if stands & {ShareStatus.OPEN, ShareStatus.HELD}:
        return
    target = PaymentStatus.RELEASED if ShareStatus.RELEASED in stands else PaymentStatus.REFUNDED
    if payment.status != target:
        payment.ended_at = now()
        payment.advance("release" if target == PaymentStatus.RELEASED else "refund", actor=SYSTEM)


def _share_of(back: Refund) -> PaymentShare:
    db.session.flush()
    return db.session.scalars(locked(select(PaymentShare).where(PaymentShare.id == back.share_id))).one()


class _Told(TypedDict):
    """The fields that every event about a share has."""

    payment_id: int
    share_id: int
    reference: str
    payer_id: int
    payee_id: int


def _told(payment: Payment, part: PaymentShare) -> _Told:
    return _Told(
        payment_id=payment.id,
        share_id=part.id,
        reference=part.reference,
        payer_id=payment.payer_id,
        payee_id=part.payee_id,
    )
