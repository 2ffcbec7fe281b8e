"""Who sees which dispute, and what one is to it and to an offer in it."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import May, may
from marketplace.disputes.models import Dispute

OPENER, RESPONDENT = frozenset({"opener"}), frozenset({"respondent"})
AUTHOR, RECIPIENT = frozenset({"author"}), frozenset({"recipient"})


def visible_to(user: User) -> Select[Dispute]:
    """The two sides see theirs, whoever decides sees all."""
    return select(Dispute) if decides(user) else select(Dispute).where(seen_by(Dispute, user.id))


def seen_by(dispute: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(dispute.opened_by_id == me, dispute.against_id == me)


def eyes_of(user: User) -> dict[str, int]:
    """The parameter that narrows a list to what this person sees."""
    return {} if decides(user) else {"seen_by": user.id}


def decides(user: User) -> bool:
    """Whether this is staff who decide."""
    return may(user.role, May.DECIDE_DISPUTES)


def role_of(user: User, dispute: Any) -> frozenset[str]:
    """A side, or staff; nobody decides about their own."""
    if dispute.opened_by_id == user.id:
        return OPENER
    if dispute.against_id == user.id:
        return RESPONDENT
    return frozenset({user.role}) if decides(user) else frozenset()


def offer_role_of(user: User, dispute: Any, offer: Any) -> frozenset[str]:
    """Who made it, or the side it was made to."""
    if offer.author_id == user.id:
        return AUTHOR
    return RECIPIENT if user.id in {dispute.opened_by_id, dispute.against_id} else frozenset()


def other_side(dispute: Any, user_id: int) -> int:
    """Whom this side has to do with."""
    return int(dispute.against_id if dispute.opened_by_id == user_id else dispute.opened_by_id)
