"""Who sees whom."""

from sqlalchemy import Select, select

from marketplace.auth.models import User

STAFF = frozenset({"moderator", "admin"})


def visible_to(user: User | None) -> Select[User]:
    """Active people; staff see everybody."""
    if user is not None and user.role in STAFF:
        return select(User)
    return select(User).where(User.is_active)


def staff_roles(user: User | None) -> frozenset[str]:
    """The role a lifecycle table may name, beside what one is to the thing."""
    return frozenset({user.role}) & STAFF if user is not None else frozenset()
