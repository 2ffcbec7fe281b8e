"""Which offerings one sees, and one's role towards an offering."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from marketplace.auth.models import User
from marketplace.auth.policy import id_of, is_staff, staff_roles
from marketplace.offerings.lifecycle import OfferingStatus
from marketplace.offerings.models import Offering

OWNER, STRANGER = frozenset({"owner"}), frozenset({"stranger"})


def visible_to(user: User | None) -> Select[Offering]:
    """Active ones; one's own in any state; staff see all but the deleted."""
    living = select(Offering).where(Offering.status != OfferingStatus.DELETED)
    return living if is_staff(user) else living.where(seen_by(Offering, id_of(user)))


def seen_by(offering: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(offering.status == OfferingStatus.ACTIVE, offering.creator_id == me)


def role_of(user: User | None, offering: Any) -> frozenset[str]:
    """Owner or stranger; staff besides."""
    if user is None:
        return frozenset()
    return staff_roles(user) | (OWNER if offering.creator_id == user.id else STRANGER)
