"""How a dispute ends: by an accepted offer, by a decision of staff, or by being withdrawn.

The money moves in the transaction that ends it, and never before: a decision is final once nobody can appeal.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict

from sqlalchemy import func, select

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, save
from marketplace.core.database.prices import minor_units
from marketplace.core.http.access import demand_money_scope
from marketplace.core.manifest import Settlement, deal_kinds
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.deals import queries as deals_queries
from marketplace.deals.models import Deal
from marketplace.disputes import policy, queries
from marketplace.disputes.lifecycle import SYSTEM, DisputeStatus, OfferStatus
from marketplace.disputes.models import Decision, Dispute, Offer
from marketplace.events.disputes import DisputeDecided, DisputeResolved, OfferDeclined, OfferMade
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.money import Money
from marketplace.payments import service as payments_service

COMPLETED, CANCELLED, WITHDRAWN = "completed", "cancelled", "withdrawn"
MOST_OFFERS = 50


class LessIsHeld(Conflict):
    """409: less is in escrow than the offer names, as some was refunded since."""

    code = "less_is_held"
    sentence = "Less is held by now than this offer names. Make a new one."

    @classmethod
    def with_only(cls, minor: int, currency: str) -> "LessIsHeld":
        """With a sentence that says how much is in escrow."""
        return cls(
            f"{Money(minor, currency).exact} {currency} is held by now, less than this offer names. Make a new one."
        )


class TooManyOffers(Conflict):
    """409: one side has made MOST_OFFERS offers in this dispute."""

    code = "too_much"
    sentence = f"You have made {MOST_OFFERS} offers in this dispute, which is all there can be."


@dataclass(frozen=True, slots=True)
class Terms:
    """The task's outcome, and the worker's part of the escrow in minor units before the fee (None: nothing is in
    escrow)."""

    outcome: str
    to_worker_minor: int | None = None
    currency: str | None = None


def offer(user: User, dispute_id: int, *, amount: Decimal | None = None, outcome: str | None = None) -> Offer:
    """Make an offer in place of one's earlier one. Raises 403, 404, 409, Invalid (422)."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("offer", actor=policy.role_of(user, dispute), actor_id=user.id)
    terms = _terms(dispute, "amount", amount, outcome=outcome)
    if payments_service.is_under_way(_deal(dispute).reference):
        demand_money_scope()  # the other side needs only to accept
    made = select(func.count()).where(Offer.dispute_id == dispute.id, Offer.author_id == user.id)
    if fetch(made)[0][0] >= MOST_OFFERS:
        raise TooManyOffers()
    _call_in(dispute, policy.AUTHOR, author_id=user.id)
    made_now = save(Offer(dispute_id=dispute.id, author_id=user.id, **_columns(terms)))
    publish(OfferMade(offer_id=made_now.id, **_by(dispute, user), **_columns(terms)))
    return made_now


def accept(user: User, dispute_id: int, offer_id: int) -> Dispute:
    """Accept the other side's offer: the dispute is resolved and the money moves now. Raises 403, 404, 409."""
    dispute, accepted = _offer_to_change(user, dispute_id, offer_id)
    accepted.advance("accept", actor=policy.offer_role_of(user, dispute, accepted), actor_id=user.id)
    dispute.advance("settle", actor=policy.role_of(user, dispute), actor_id=user.id)
    most = (payments_service.held_minor(_deal(dispute).reference) or (0, ""))[0]
    if accepted.to_worker_minor is not None and accepted.to_worker_minor > most:
        raise LessIsHeld.with_only(most, accepted.currency or "")
    _carry_out(dispute, Terms(accepted.outcome, accepted.to_worker_minor, accepted.currency), user.id)
    return dispute


def decline(user: User, dispute_id: int, offer_id: int) -> Offer:
    """Decline the other side's offer; raises 403, 404, 409."""
    dispute, declined = _offer_to_change(user, dispute_id, offer_id)
    declined.advance("decline", actor=policy.offer_role_of(user, dispute, declined), actor_id=user.id)
    db.session.flush()
    publish(OfferDeclined(offer_id=declined.id, **_by(dispute, user)))
    return declined


def take_back(user: User, dispute_id: int, offer_id: int) -> Offer:
    """Withdraw one's own offer; raises 403, 404, 409."""
    dispute, mine = _offer_to_change(user, dispute_id, offer_id)
    mine.advance("withdraw", actor=policy.offer_role_of(user, dispute, mine), actor_id=user.id)
    db.session.flush()
    return mine


def decide(
    admin: User,
    dispute_id: int,
    *,
    note: str,
    worker_amount: Decimal | None = None,
    worker_minor: int | None = None,
    outcome: str | None = None,
) -> Dispute:
    """Decide as staff: final after the time to appeal, or at once where it was appealed. Raises 403 for one's own
    dispute, 404, WrongState (409) while the other side has time to answer, Invalid (422)."""
    dispute, moment = queries.to_change(admin, dispute_id), now()
    if dispute.status == DisputeStatus.OPEN and dispute.response_due_at <= moment:
        dispute.advance("lapse", actor=SYSTEM)
        db.session.flush()
    dispute.advance("decide", actor=policy.role_of(admin, dispute), actor_id=admin.id)
    db.session.flush()
    terms = _terms(dispute, "worker_amount", worker_amount, outcome=outcome, minor=worker_minor)
    said = {"decided_by_id": admin.id, "decided_at": moment, "note": note}
    save(Decision(dispute_id=dispute.id, **said, **_columns(terms)))
    if dispute.status == DisputeStatus.RESOLVED:
        _carry_out(dispute, terms, admin.id)
        return dispute
    dispute.final_at = moment + current_settings.days("DISPUTE_APPEAL_DAYS")
    _note_terms(dispute, terms)
    publish(DisputeDecided(**_both(dispute)))
    return dispute


def finish(dispute_id: int) -> None:
    """Carry out the decision after the time to appeal; no effect where somebody has appealed."""
    dispute = queries.UNAPPEALED.locked_row(dispute_id)
    if dispute is not None and dispute.outcome is not None:
        dispute.advance("finish", actor=SYSTEM)
        _carry_out(dispute, Terms(dispute.outcome, dispute.to_worker_minor, dispute.currency), None)


def withdraw(user: User, dispute_id: int) -> Dispute:
    """Take the dispute back, by who opened it and before a decision; the task goes on. Raises 403, 404, 409."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("withdraw", actor=policy.role_of(user, dispute), actor_id=user.id)
    _close(dispute, WITHDRAWN)
    _settlement(dispute).reopen(_deal(dispute).subject_id, actor_id=user.id)
    return dispute


def _carry_out(dispute: Dispute, terms: Terms, actor_id: int | None) -> None:
    """Resolve the task and its money, and store what was really moved: after a refund the worker gets at most what is
    left, and money held since the decision goes where the outcome says."""
    held, share = payments_service.held_minor(_deal(dispute).reference), terms.to_worker_minor
    if held is None:
        share = 0 if terms.outcome == CANCELLED else None
        _note_terms(dispute, Terms(terms.outcome))
    else:
        most, currency = held
        share = (most if terms.outcome == COMPLETED else 0) if share is None else min(share, most)
        _note_terms(dispute, Terms(terms.outcome, share, currency))
    _close(dispute, terms.outcome)
    _settlement(dispute).settle(_deal(dispute).subject_id, to_provider_minor=share, actor_id=actor_id)


def _close(dispute: Dispute, outcome: str) -> None:
    dispute.active_reference = dispute.final_at = None
    _call_in(dispute, SYSTEM)
    db.session.flush()
    publish(DisputeResolved(**_both(dispute), outcome=outcome))


def _call_in(dispute: Dispute, roles: frozenset[str], **whose: int) -> None:
    """Withdraw the open offers of this dispute."""
    for left in db.session.scalars(select(Offer).filter_by(dispute_id=dispute.id, status=OfferStatus.OPEN, **whose)):
        left.advance("withdraw", actor=roles)


def _terms(
    dispute: Dispute, field: str, amount: Decimal | None, *, outcome: str | None, minor: int | None = None
) -> Terms:
    """The terms out of what a client sent, checked; raises Invalid (422)."""
    held = payments_service.held_minor(_deal(dispute).reference)
    if held is None:
        return _without_money(field, outcome, amount if amount is not None else minor)
    most, currency = held
    share = _share(field, minor_units(field, amount, currency), minor)
    if share is None and outcome is not None:
        share = most if outcome == COMPLETED else 0
    if share is None:
        raise Invalid.field(field, f"Say how much of the {Money(most, currency).exact} {currency} the worker gets.")
    if not 0 <= share <= most:
        raise Invalid.field(field, f"At most {Money(most, currency).exact} {currency} is held and can be divided.")
    follows = COMPLETED if share else CANCELLED
    if outcome not in {None, follows}:
        raise Invalid.field("outcome", f"With this amount the task is {follows}.")
    return Terms(follows, share, currency)


def _without_money(field: str, outcome: str | None, sent: Any) -> Terms:
    if sent is not None:
        raise Invalid.field(field, "No money is held for this task, so none can be divided. Say the outcome alone.")
    if outcome is None:
        raise Invalid.field("outcome", "No money is held for this task: say whether it is completed or cancelled.")
    return Terms(outcome)


def _share(field: str, major: int | None, minor: int | None) -> int | None:
    """The amount, sent in major or minor units (here both as minor); raises Invalid (422) where they differ."""
    if major is not None and minor is not None and major != minor:
        raise Invalid.field(field, "The two amounts differ. Send one of them.")
    return minor if major is None else major


def _deal(dispute: Dispute) -> Deal:
    return deals_queries.by_id(dispute.deal_id)


def _settlement(dispute: Dispute) -> Settlement:
    return deal_kinds()[_deal(dispute).kind].settlement


def _offer_to_change(user: User, dispute_id: int, offer_id: int) -> tuple[Dispute, Offer]:
    dispute = queries.to_change(user, dispute_id)
    return dispute, queries.offer_of(dispute, offer_id)


def _note_terms(dispute: Dispute, terms: Terms) -> None:
    for name, value in _columns(terms).items():
        setattr(dispute, name, value)
    db.session.flush()


class _Columns(TypedDict):
    outcome: str
    to_worker_minor: int | None
    currency: str | None


class _By(TypedDict):
    dispute_id: int
    reference: str
    by_id: int
    other_id: int


class _Both(TypedDict):
    dispute_id: int
    reference: str
    opened_by_id: int
    against_id: int


def _columns(terms: Terms) -> _Columns:
    return {"outcome": terms.outcome, "to_worker_minor": terms.to_worker_minor, "currency": terms.currency}


def _by(dispute: Dispute, user: User) -> _By:
    other = policy.other_side(dispute, user.id)
    return {"dispute_id": dispute.id, "reference": _deal(dispute).reference, "by_id": user.id, "other_id": other}


def _both(dispute: Dispute) -> _Both:
    return {
        "dispute_id": dispute.id,
        "reference": _deal(dispute).reference,
        "opened_by_id": dispute.opened_by_id,
        "against_id": dispute.against_id,
    }
