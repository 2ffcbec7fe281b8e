"""Agree on a deal, price it, hand over. Its stage follows from the trade's states by itself (models.py)."""

from datetime import datetime

from sqlalchemy import or_, select, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, save
from marketplace.core.manifest import HandOver, deal_kinds
from marketplace.deals import queries
from marketplace.deals.lifecycle import DealStage
from marketplace.deals.models import Deal, DealSubject
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict


class DeliveredAnew(Conflict):
    """409: the clock meant an earlier delivery; the client's time has begun again."""

    code = "delivered_anew"
    sentence = "This was delivered again in the meantime."


class NotHandedOver(Conflict):
    """409: a deal of this kind ends in another way."""

    code = "not_handed_over"
    sentence = "A deal of this kind is not ended by a code."


def agree(
    subject: DealSubject,
    *,
    kind: str,
    client_id: int,
    provider_id: int,
    title: str,
    price_minor: int | None,
    currency: str,
    category: str,
    payment: str,
) -> Deal:
    """Open the deal of what two people have just agreed on, or the same with somebody new. The price, in minor units,
    is None where none was agreed; `payment` is escrow or outside. In the caller's transaction."""
    terms = {
        **{"kind": kind, "client_id": client_id, "provider_id": provider_id, "title": title},
        **{"price_minor": price_minor, "currency": currency, "category": category, "payment": payment},
        **{"stage": DealStage.AGREED, "agreed_at": now()},
        **{"delivered_at": None, "completed_at": None, "cancelled_at": None},
    }
    there = select(Deal).where(Deal.reference == subject.deal_reference).execution_options(populate_existing=True)
    known = db.session.scalar(there)
    if known is None:
        return save(Deal(subject_id=subject.id, reference=subject.deal_reference, **terms))
    for name, value in terms.items():
        setattr(known, name, value)
    known.touch()
    db.session.flush()
    return known


def confirm_unanswered(deal_id: int) -> None:
    """Confirm delivered work by its trade's own verb, once its client has said nothing for as long as the kind of deal
    allows; no effect at other times. Raises what the verb raises, DeliveredAnew (409)."""
    deal = queries.UNCONFIRMED.row(deal_id)
    if deal is not None and (timer := deal_kinds()[deal.kind].confirm_after) is not None:
        since = deal.delivered_at
        timer.confirm(deal.subject_id)
        _demand_delivered(deal, since)


def handover_code(user: User, reference: str, *, fresh: bool = False) -> str:
    """The code that the client of a deal shows; raises 403 for others, 404, NotHandedOver, 409 where nothing can be
    handed over now."""
    deal, hand_over = _handed_over(user, reference)
    return hand_over.code_of(user, deal.subject_id, fresh=fresh)


def hand_over(user: User, reference: str, *, code: str) -> bool:
    """Complete a deal by the client's code, as its provider; False for a wrong one, which is counted. Raises 403, 404,
    NotHandedOver, 409."""
    deal, hand_over = _handed_over(user, reference)
    return hand_over.hand_over(user, deal.subject_id, code=code)


def _demand_delivered(deal: Deal, since: datetime | None) -> None:
    """Raises DeliveredAnew (409) where it was delivered at another time. Asked once the verb has locked what the deal
    is about: it may have been disputed, reopened and delivered again after the clock had looked."""
    db.session.refresh(deal)
    if deal.delivered_at != since:
        raise DeliveredAnew()


def _handed_over(user: User, reference: str) -> tuple[Deal, HandOver]:
    deal = queries.find(user, reference)
    hand_over = deal_kinds()[deal.kind].hand_over
    if hand_over is None:
        raise NotHandedOver()
    return deal, hand_over


def forget_titles_of(user_id: int) -> None:
    """Blank the titles that an erased person has written: a client's of what they asked for, a provider's of what they
    offered."""
    offered = [kind.name for kind in deal_kinds().values() if kind.is_titled_by_provider]
    asked = Deal.kind.not_in(offered) & (Deal.client_id == user_id)
    execute(update(Deal).where(or_(asked, Deal.kind.in_(offered) & (Deal.provider_id == user_id))).values(title=""))
