"""Which listings one sees, and one's role towards a listing."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from marketplace.auth.models import User
from marketplace.auth.policy import id_of, is_staff, staff_roles
from marketplace.listings.lifecycle import ListingStatus
from marketplace.listings.models import Listing

PUBLIC_STATES = frozenset({ListingStatus.ACTIVE, ListingStatus.SOLD})
OWNER = frozenset({"owner"})


def visible_to(user: User | None) -> Select[Listing]:
    """Active and sold ones; one's own in any state; staff see all but the deleted."""
    living = select(Listing).where(Listing.status != ListingStatus.DELETED)
    return living if is_staff(user) else living.where(seen_by(Listing, id_of(user)))


def seen_by(listing: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(listing.status.in_(PUBLIC_STATES), listing.seller_id == me)


def role_of(user: User | None, listing: Any) -> frozenset[str]:
    """Owner, staff, both or neither."""
    if user is None:
        return frozenset()
    return staff_roles(user) | (OWNER if listing.seller_id == user.id else frozenset())
