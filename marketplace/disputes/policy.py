"""Which disputes one sees, and one's role in a dispute and towards an offer."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import May, may
from marketplace.disputes.models import Dispute

OPENER, RESPONDENT = frozenset({"opener"}), frozenset({"respondent"})
AUTHOR, RECIPIENT = frozenset({"author"}), frozenset({"recipient"})


def visible_to(user: User) -> Select[Dispute]:
    """One's own disputes, on either side; all of them for staff who decide."""
    return select(Dispute) if decides(user) else select(Dispute).where(seen_by(Dispute, user.id))


def seen_by(dispute: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(dispute.opened_by_id == me, dispute.against_id == me)


def eyes_of(user: User) -> dict[str, int]:
    """The list parameter that narrows to what this person may see; empty for staff who decide."""
    return {} if decides(user) else {"seen_by": user.id}


def decides(user: User) -> bool:
    """Whether this person decides disputes."""
    return may(user.role, May.DECIDE_DISPUTES)


def role_of(user: User, dispute: Any) -> frozenset[str]:
    """The side one is on, or staff; nobody is staff towards their own dispute."""
    if dispute.opened_by_id == user.id:
        return OPENER
    if dispute.against_id == user.id:
        return RESPONDENT
    return frozenset({user.role}) if decides(user) else frozenset()


def offer_role_of(user: User, dispute: Any, offer: Any) -> frozenset[str]:
    """Whether one made the offer or received it."""
    if offer.author_id == user.id:
        return AUTHOR
    return RECIPIENT if user.id in {dispute.opened_by_id, dispute.against_id} else frozenset()


def other_side(dispute: Any, user_id: int) -> int:
    """The id of this side's opponent."""
    return int(dispute.against_id if dispute.opened_by_id == user_id else dispute.opened_by_id)
