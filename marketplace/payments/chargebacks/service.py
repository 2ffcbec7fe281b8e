"""What becomes of a payment that the payer's bank disputes. Each in the caller's transaction, the payment locked first.

While one is open nothing of the payment moves (escrow.py `Frozen`), nor what the payees got of it (wallets/). Won, it
goes on as the deals have asked meanwhile; lost, the money is taken from the shares' escrow, then back from whoever got
it, as with a refund.
"""

from datetime import timedelta

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.auth.service import hold
from marketplace.core.database.db import db, locked, locked_row, one, save
from marketplace.core.ops import audit_log
from marketplace.core.queues.outbox import publish
from marketplace.events.payments import ChargebackClosed, ChargebackOpened, EvidenceDue
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.money import share
from marketplace.payments import escrow, policy
from marketplace.payments.chargebacks.lifecycle import ChargebackStatus
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, RefundStatus
from marketplace.payments.models import Payment, Refund
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.provider import ChargebackState, Dispute, Unreachable
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads import service as uploads_service
from marketplace.uploads.addresses import url_of

REMIND_BEFORE = timedelta(days=3)
PAPERS = {"application/pdf", "image/jpeg", "image/png"}
LARGEST_PAPER = 4_500_000  # bytes; what Stripe sends on to banks, PayPal takes more


def apply_state(payment_id: int, state: ChargebackState) -> None:
    """Store what the provider says of a chargeback, and book the money that moved since; raises Unreachable, to be
    asked again, while the payment's capture is not booked here."""
    payment = locked_row(Payment, payment_id)
    if payment.captured_at is None:
        raise Unreachable("the payment's capture is not recorded yet")
    mine = _known(payment, state) or _open(payment, state)
    mine.evidence_due_at, mine.reason = state.evidence_due_at, state.reason[:60]
    _book_movement(payment, mine, state)
    if mine.status == ChargebackStatus.OPEN:
        if state.status is Dispute.LOST:
            _lose(payment, mine)
        elif state.status is Dispute.WON and not mine.withdrawn_minor:  # until it is back, it is not over
            _close(payment, mine, "win")
    mine.touch()
    db.session.flush()


def answer(user: User, chargeback_id: int, *, evidence: str, file: str | None = None) -> Chargeback:
    """Send the bank what speaks against it, as staff, with a paper among their own uploads; what was sent before is
    replaced. Raises 403, 404, 409, Invalid (422)."""
    mine = one(locked(policy.chargebacks_visible_to(user).where(Chargeback.id == chargeback_id)), "chargeback")
    escrow.demand_no_side(db.session.get_one(Payment, mine.payment_id), user.id)
    mine.advance("answer", actor=policy.ADMIN, actor_id=user.id)
    papers = [_demand_paper(user, file)] if file else []
    mine.evidence, mine.evidence_sent_at = evidence, now()
    mine.evidence_file = papers[0].stem if papers else ""
    db.session.flush()
    uploads_service.use("chargeback", mine.id, [url_of(paper) for paper in papers])
    audit_log.record("chargeback.answer", "chargeback", mine.id)
    provider_requests_queue.ask("evidence", "chargeback", mine.id, key=f"evidence-{mine.id}-{mine.version}")
    return mine


def _demand_paper(user: User, name: str) -> uploads_queries.UploadRow:
    """Raises Invalid (422) unless it is a document of their own that banks read."""
    found = next(iter(uploads_queries.own_documents(user, [name])), None)
    if found is None or found.content_type not in PAPERS or found.size > LARGEST_PAPER:
        raise Invalid.field("file", "Name one of your own documents: a PDF, JPEG or PNG of at most 4.5 MB.")
    return found


def remind(chargeback_id: int) -> None:
    """Tell staff, once, that the time to answer ends."""
    mine = locked_row(Chargeback, chargeback_id)
    if mine.status == ChargebackStatus.OPEN and mine.evidence_sent_at is None and mine.reminded_at is None:
        mine.reminded_at = now()
        publish(EvidenceDue(chargeback_id=mine.id))


def _known(payment: Payment, state: ChargebackState) -> Chargeback | None:
    mine = select(Chargeback).where(Chargeback.provider == payment.provider, Chargeback.provider_id == state.id)
    return db.session.scalar(locked(mine))


def _open(payment: Payment, state: ChargebackState) -> Chargeback:
    payment.is_frozen = True
    for user_id in sorted({payment.payer_id, *(part.payee_id for part in escrow.shares_of(payment))}):
        hold(user_id)  # a payout counts what is frozen under the same lock
    about = {"payment_id": payment.id, "provider": payment.provider, "provider_id": state.id}
    mine = save(Chargeback(amount_minor=state.amount_minor, currency=payment.currency, **about))
    publish(ChargebackOpened(chargeback_id=mine.id, payment_id=payment.id))
    return mine


def _book_movement(payment: Payment, mine: Chargeback, state: ChargebackState) -> None:
    """Post what the provider took or gave back since it was last asked; what moves after the end is ours to bear."""
    mine.movements += 1
    is_open = mine.status == ChargebackStatus.OPEN
    bears = chart_of_accounts.disputed(payment) if is_open else chart_of_accounts.losses(payment)
    taken, charged = state.withdrawn_minor - mine.withdrawn_minor, state.fee_minor - mine.fee_minor
    post(
        [
            _moved(payment, mine, "chargeback", bears, taken),
            _moved(payment, mine, "chargeback_fee", chart_of_accounts.losses(payment), charged),
        ]
    )
    mine.withdrawn_minor, mine.fee_minor = state.withdrawn_minor, state.fee_minor
    db.session.flush()


def _moved(payment: Payment, mine: Chargeback, kind: str, account: Account, minor: int) -> Posting:
    """From this account to the provider, or back where it is below zero."""
    sides = (account, chart_of_accounts.at_provider(payment))
    debit, credit = sides if minor >= 0 else sides[::-1]
    subject = f"chargeback:{mine.id}"
    return Posting(
        key=f"{subject}:{kind}:{mine.movements}",
        debit=debit,
        credit=credit,
        amount_minor=abs(minor),
        kind=kind,
        reference=payment.reference,
        subject=subject,
    )


def _lose(payment: Payment, mine: Chargeback) -> None:
    """The payer has the money back: from the shares by what each has left, then from refunds that were not sent yet or
    could not be and are in the payer's wallet; what went back before is the marketplace's loss."""
    to, subject = chart_of_accounts.disputed(payment), f"chargeback:{mine.id}"
    shares = [one for one in escrow.shares_of(payment) if one.refundable_minor]
    there = [one.refundable_minor for one in shares]
    wanted = min(mine.withdrawn_minor, sum(there))
    for part, minor in zip(shares, share(wanted, there) if shares else [], strict=True):
        if minor:
            escrow.charge_back(payment, part, minor, to=to, subject=subject)
    rest = mine.withdrawn_minor - wanted
    rest -= _out_of_unsent_refunds(payment, mine, rest)
    rest -= escrow.reclaim_failed(payment, rest, to=to, subject=subject)
    lost = Posting(
        key=f"{subject}:lost",
        debit=chart_of_accounts.losses(payment),
        credit=to,
        amount_minor=rest,
        kind="chargeback_loss",
        reference=payment.reference,
        subject=subject,
    )
    post([lost])
    _close(payment, mine, "lose")


def _out_of_unsent_refunds(payment: Payment, mine: Chargeback, minor: int) -> int:
    """End refunds that the bank has made in our place; returns how much that was."""
    pending = select(Refund).where(
        Refund.payment_id == payment.id, Refund.status == RefundStatus.PENDING, Refund.provider_id.is_(None)
    )
    covered = 0
    for back in db.session.scalars(locked(pending.order_by(Refund.id))).all():
        part = min(minor - covered, back.amount_minor)
        if not part:
            break
        is_whole = part == back.amount_minor
        made = back if is_whole else escrow.split_off(back, part, key=f"chargeback-{mine.id}-{back.id}")
        escrow.finish_refund(payment, made, to=chart_of_accounts.disputed(payment))
        covered += part
    return covered


def _close(payment: Payment, mine: Chargeback, verb: str) -> None:
    """End it; where no other is open, the payment's shares go on as their deals have asked meanwhile."""
    mine.closed_at = now()
    mine.advance(verb, actor=SYSTEM)
    db.session.flush()
    publish(ChargebackClosed(chargeback_id=mine.id, payment_id=payment.id, status=mine.status))
    others = select(Chargeback.id).where(
        Chargeback.payment_id == payment.id, Chargeback.status == ChargebackStatus.OPEN
    )
    if db.session.scalar(others.limit(1)) is not None:
        return
    payment.is_frozen = False
    for part in escrow.shares_of(payment):
        escrow.carry_out(payment, part)
