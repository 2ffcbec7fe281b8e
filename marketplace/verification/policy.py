"""One's role towards somebody's documents."""

from typing import Any

from marketplace.auth.models import User


def role_of(user: User, verification: Any) -> frozenset[str]:
    """Owner or staff; nobody is staff towards their own."""
    return frozenset({"owner"}) if verification.user_id == user.id else frozenset({user.role})
