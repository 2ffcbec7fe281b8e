"""What can be reported, and one's role towards a report."""

from typing import Any

from marketplace.auth.models import User
from marketplace.auth.policy import staff_roles
from marketplace.core.manifest import Subject, subjects

USER = "user"


def reportable() -> list[str]:
    """Kinds of things: people, and what staff can delete."""
    return [USER, *sorted(removable())]


def removable() -> dict[str, Subject]:
    """Kind → its subject, of those that can be deleted."""
    return {kind: subject for kind, subject in subjects().items() if subject.delete is not None}


def role_of(user: User, report: Any) -> frozenset[str]:
    """Staff; nobody is staff towards what is said of them."""
    return frozenset() if report.reported_id == user.id else staff_roles(user)
