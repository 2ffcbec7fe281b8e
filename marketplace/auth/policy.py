"""Which people one sees, and the roles of staff."""

from sqlalchemy import Select, select

from marketplace.auth.models import User
from marketplace.core.http.permissions import STAFF

NOBODY = 0  # no id


def is_staff(user: User | None) -> bool:
    """Whether this person sees every state but deleted of what is on offer."""
    return user is not None and user.role in STAFF


def id_of(user: User | None) -> int:
    """The person's id; NOBODY, which no owner has, where nobody is signed in."""
    return user.id if user is not None else NOBODY


def visible_to(user: User | None) -> Select[User]:
    """Active people; staff see everybody."""
    return select(User) if is_staff(user) else select(User).where(User.is_active)


def eyes_of(user: User | None) -> dict[str, int]:
    """The list parameter `seen_by`, which narrows to what this person may see; empty for staff."""
    return {} if is_staff(user) else {"seen_by": id_of(user)}


def own_only(user: User | None) -> dict[str, int]:
    """The list parameter `owner_id`, which narrows to one's own, for states that others may not see; empty for
    staff."""
    return {} if is_staff(user) else {"owner_id": id_of(user)}


def staff_roles(user: User | None) -> frozenset[str]:
    """The person's role as a set for lifecycle tables; empty for who is not staff."""
    return frozenset({user.role}) & STAFF if user is not None else frozenset()
