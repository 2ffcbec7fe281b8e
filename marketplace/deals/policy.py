"""Which deals one sees, and which side one is on."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import May, may
from marketplace.deals.lifecycle import CLIENT, PROVIDER
from marketplace.deals.models import Deal


def visible_to(user: User) -> Select[Deal]:
    """One's own deals, on either side; all of them for staff who decide disputes."""
    return select(Deal) if sees_all(user) else select(Deal).where(seen_by(Deal, user.id))


def seen_by(deal: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(deal.client_id == me, deal.provider_id == me)


def sees_all(user: User) -> bool:
    """Whether this person sees the deals of others."""
    return may(user.role, May.DECIDE_DISPUTES)


def side_of(user_id: int | None, deal: Any) -> str | None:
    """`client` or `provider`; None for everybody else."""
    if user_id == deal.client_id:
        return CLIENT
    return PROVIDER if user_id == deal.provider_id else None
