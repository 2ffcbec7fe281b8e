"""How a dispute ends: by an offer that is accepted, by what staff decide, or by being taken back.

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
from marketplace.core.ops import current_settings
from marketplace.core.queues.outbox import publish
from marketplace.disputes import policy, queries
from marketplace.disputes.lifecycle import SYSTEM, DisputeStatus, OfferStatus
from marketplace.disputes.models import Decision, Dispute, Offer
from marketplace.events.disputes import DisputeDecided, DisputeResolved, OfferDeclined, OfferMade
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.money import Money
from marketplace.payments import service as payments_service
from marketplace.tasks import service as tasks_service
from marketplace.tasks.payments.service import reference

COMPLETED, CANCELLED, WITHDRAWN = "completed", "cancelled", "withdrawn"
MOST_OFFERS = 50


class LessIsHeld(Conflict):
    """Some of it was given back since the offer was made."""

    code = "less_is_held"
    sentence = "Less is held by now than this offer names. Make a new one."

    @classmethod
    def with_only(cls, minor: int, currency: str) -> "LessIsHeld":
        """Says how much is."""
        return cls(
            f"{Money(minor, currency).exact} {currency} is held by now, less than this offer names. Make a new one."
        )


class TooManyOffers(Conflict):
    """A dispute is no auction."""

    code = "too_much"
    sentence = f"You have made {MOST_OFFERS} offers in this dispute, which is all there can be."


@dataclass(frozen=True, slots=True)
class Terms:
    """How it ends for the task, and what its worker gets of what is held, before the fee (None: nothing is held)."""

    outcome: str
    to_worker_minor: int | None = None
    currency: str | None = None


def offer(user: User, dispute_id: int, *, amount: Decimal | None = None, outcome: str | None = None) -> Offer:
    """Offer to end it so; it takes the place of one's offer before. Raises 403, 404, 409, Invalid (422)."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("offer", actor=policy.role_of(user, dispute), actor_id=user.id)
    terms = _terms(dispute, "amount", amount, outcome=outcome)
    if payments_service.is_under_way(reference(dispute.task_id)):
        demand_money_scope()  # the other side needs only to accept
    made = select(func.count()).where(Offer.dispute_id == dispute.id, Offer.author_id == user.id)
    if fetch(made)[0][0] >= MOST_OFFERS:
        raise TooManyOffers()
    _call_in(dispute, policy.AUTHOR, author_id=user.id)
    made_now = save(Offer(dispute_id=dispute.id, author_id=user.id, **_columns(terms)))
    publish(OfferMade(offer_id=made_now.id, **_by(dispute, user), **_columns(terms)))
    return made_now


def accept(user: User, dispute_id: int, offer_id: int) -> Dispute:
    """Take what the other side offers: it is over, and the money moves now. Raises 403, 404, 409."""
    dispute, accepted = _offer_to_change(user, dispute_id, offer_id)
    accepted.advance("accept", actor=policy.offer_role_of(user, dispute, accepted), actor_id=user.id)
    dispute.advance("settle", actor=policy.role_of(user, dispute), actor_id=user.id)
    most = (payments_service.held_minor(reference(dispute.task_id)) or (0, ""))[0]
    if accepted.to_worker_minor is not None and accepted.to_worker_minor > most:
        raise LessIsHeld.with_only(most, accepted.currency or "")
    _carry_out(dispute, Terms(accepted.outcome, accepted.to_worker_minor, accepted.currency), user.id)
    return dispute


def decline(user: User, dispute_id: int, offer_id: int) -> Offer:
    """Say no to what the other side offers; raises 403, 404, 409."""
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
    """What staff find right: final in a few days unless a side appeals, at once after an appeal. Raises 403 for
    one's own, 404, WrongState (409) while the other side has time to answer, Invalid (422)."""
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
    """Nobody has appealed in time: what was decided is done. No effect where it is not so."""
    dispute = queries.UNAPPEALED.locked_row(dispute_id)
    if dispute is not None and dispute.outcome is not None:
        dispute.advance("finish", actor=SYSTEM)
        _carry_out(dispute, Terms(dispute.outcome, dispute.to_worker_minor, dispute.currency), None)


def withdraw(user: User, dispute_id: int) -> Dispute:
    """Whoever opened it takes it back while nothing is decided, and the work goes on; raises 403, 404, 409."""
    dispute = queries.to_change(user, dispute_id)
    dispute.advance("withdraw", actor=policy.role_of(user, dispute), actor_id=user.id)
    _close(dispute, WITHDRAWN)
    tasks_service.reopen(dispute.task_id, actor_id=user.id)
    return dispute


def _carry_out(dispute: Dispute, terms: Terms, actor_id: int | None) -> None:
    """What is noted is what is moved: where a part was given back after the decision, the worker gets no more than
    what is left, and money that came after it goes where the outcome says."""
    held, share = payments_service.held_minor(reference(dispute.task_id)), terms.to_worker_minor
    if held is None:
        share = 0 if terms.outcome == CANCELLED else None
        _note_terms(dispute, Terms(terms.outcome))
    else:
        most, currency = held
        share = (most if terms.outcome == COMPLETED else 0) if share is None else min(share, most)
        _note_terms(dispute, Terms(terms.outcome, share, currency))
    _close(dispute, terms.outcome)
    tasks_service.settle(dispute.task_id, to_worker_minor=share, actor_id=actor_id)


def _close(dispute: Dispute, outcome: str) -> None:
    dispute.active_reference = dispute.final_at = None
    _call_in(dispute, SYSTEM)
    db.session.flush()
    publish(DisputeResolved(**_both(dispute), outcome=outcome))


def _call_in(dispute: Dispute, roles: frozenset[str], **whose: int) -> None:
    """Offers nobody answered are not open any more."""
    for left in db.session.scalars(select(Offer).filter_by(dispute_id=dispute.id, status=OfferStatus.OPEN, **whose)):
        left.advance("withdraw", actor=roles)


def _terms(
    dispute: Dispute, field: str, amount: Decimal | None, *, outcome: str | None, minor: int | None = None
) -> Terms:
    """What was sent, understood; raises Invalid (422)."""
    held = payments_service.held_minor(reference(dispute.task_id))
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
    """Both may be sent where they say the same."""
    if major is not None and minor is not None and major != minor:
        raise Invalid.field(field, "The two amounts differ. Send one of them.")
    return minor if major is None else major


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
    task_id: int
    by_id: int
    other_id: int


def _columns(terms: Terms) -> _Columns:
    return {"outcome": terms.outcome, "to_worker_minor": terms.to_worker_minor, "currency": terms.currency}


def _by(dispute: Dispute, user: User) -> _By:
    other = policy.other_side(dispute, user.id)
    return {"dispute_id": dispute.id, "task_id": dispute.task_id, "by_id": user.id, "other_id": other}


def _both(dispute: Dispute) -> dict[str, int]:
    sides = {"opened_by_id": dispute.opened_by_id, "against_id": dispute.against_id}
    return {"dispute_id": dispute.id, "task_id": dispute.task_id, **sides}
