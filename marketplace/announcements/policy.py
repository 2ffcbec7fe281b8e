"""Whom an announcement is for."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, true

from marketplace.announcements.models import ALL, CLIENTS, OF_STAFF, WORKERS
from marketplace.auth.models import User
from marketplace.core.http.permissions import STAFF

FREELANCERS, BUYERS = ("freelancer", "both"), ("client", "both")
AUDIENCES: dict[str, ColumnElement[bool]] = {
    ALL: true(),
    WORKERS: User.is_helper | User.user_type.in_(FREELANCERS),
    CLIENTS: User.user_type.in_(BUYERS) | ~User.is_helper,
    OF_STAFF: User.role.in_(sorted(STAFF)),
}


def targets_of(viewer: User | None) -> Collection[str]:
    """The targets somebody belongs to; a stranger to those for all."""
    if viewer is None:
        return (ALL,)
    is_worker = viewer.is_helper or viewer.user_type in FREELANCERS
    belongs = {
        WORKERS: is_worker,
        CLIENTS: viewer.user_type in BUYERS or not viewer.is_helper,
        OF_STAFF: viewer.role in STAFF,
    }
    return (ALL, *(name for name, does in belongs.items() if does))
