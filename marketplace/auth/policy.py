"""Who sees whom."""

from sqlalchemy import Select, select

from marketplace.auth.models import User
from marketplace.core.permissions import STAFF

NOBODY = 0  # no id


def visible_to(user: User | None) -> Select[User]:
    """Active people; staff see everybody."""
    if user is not None and user.role in STAFF:
        return select(User)
    return select(User).where(User.is_active)


def eyes_of(user: User | None) -> dict[str, int]:
    """The parameter that narrows a list to what this person sees; staff are not narrowed."""
    if user is not None and user.role in STAFF:
        return {}
    return {"seen_by": user.id if user is not None else NOBODY}


def staff_roles(user: User | None) -> frozenset[str]:
    """The role a lifecycle table may name, beside what one is to the thing."""
    return frozenset({user.role}) & STAFF if user is not None else frozenset()
