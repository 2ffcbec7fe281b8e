"""Who sees whom."""

from sqlalchemy import Select, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import STAFF

NOBODY = 0  # no id


def is_staff(user: User | None) -> bool:
    """Whether what is on offer is seen whole, in every state but deleted."""
    return user is not None and user.role in STAFF


def id_of(user: User | None) -> int:
    """To compare an owner with; NOBODY's where nobody is signed in."""
    return user.id if user is not None else NOBODY


def visible_to(user: User | None) -> Select[User]:
    """Active people; staff see everybody."""
    return select(User) if is_staff(user) else select(User).where(User.is_active)


def eyes_of(user: User | None) -> dict[str, int]:
    """The parameter that narrows a list to what this person sees; staff are not narrowed."""
    return {} if is_staff(user) else {"seen_by": id_of(user)}


def own_only(user: User | None) -> dict[str, int]:
    """The parameter that narrows a list to one's own, for states that are nobody else's; staff are not narrowed."""
    return {} if is_staff(user) else {"owner_id": id_of(user)}


def staff_roles(user: User | None) -> frozenset[str]:
    """The role a lifecycle table may name, beside what one is to the thing."""
    return frozenset({user.role}) & STAFF if user is not None else frozenset()
