"""Roles, suspension and the verified badge: what staff decide about an account, each with its audit row."""

from datetime import timedelta

from sqlalchemy import select, update

from marketplace.auth.models import ROLES, User
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.database.db import db, execute, fetch, save
from marketplace.core.lists import full_text
from marketplace.core.ops import audit_log
from marketplace.core.queues.jobs import enqueue
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import AccountErased, AccountReinstated, AccountSuspended
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotAllowed

LATE_WRITES = timedelta(seconds=60)  # no request takes longer
SUSPENDED, ERASED = "suspended", "erased"
NOBODY: dict[str, object] = {
    **dict.fromkeys(("first_name", "last_name", "bio", "city", "country"), ""),
    **dict.fromkeys(("avatar_url", "profile_picture_url"), ""),
    **dict.fromkeys(("is_verified", "email_verified", "phone_verified", "is_helper"), False),
    **{"skills": [], "helper_categories": [], "role": "user", "password_hash": "!", "availability": "away"},
}
UNNAMED = (
    *NOBODY,
    *("phone", "phone_key", "latitude", "longitude", "hourly_rate_minor", "suspended_at", "suspension_reason"),
    *("last_active_at", "import_ref", "user_type"),
)


class NotYourself(NotAllowed):
    """403: nobody changes their own role, nor suspends or reinstates themselves."""

    code = "not_yourself"
    sentence = "You cannot do this to your own account."


class NotStaff(NotAllowed):
    """403: moderators and admins are suspended and reinstated by admins only."""

    code = "not_staff"
    sentence = "Only an admin can do this to a moderator or an admin."


class Erased(Conflict):
    """409: the account was erased, and cannot be given anything any more."""

    code = "erased"
    sentence = "This account was erased."


def grant(user: User, role: str, *, by: User | None = None) -> User:
    """Give a role (`user` takes roles away); raises Invalid (422), NotYourself (403), Erased (409)."""
    if role not in ROLES:
        raise Invalid.field("role", f"One of: {', '.join(ROLES)}.")
    _check(user, by)
    audit_log.record("role.granted", "user", user.id, role=role, before=user.role)
    user.role = role
    return save(user)


def suspend(user: User, reason: str, *, by: User | None = None) -> User:
    """Deactivate the account and end its sign-ins; the trades take down what is on offer by AccountSuspended. Raises
    NotYourself, NotStaff (403), Erased (409)."""
    _check(user, by)
    if user.suspended_at is None:
        user.suspended_at, user.suspension_reason, user.is_active = now(), reason, False
        audit_log.record("account.suspended", "user", user.id)
        sessions_service.end_others(user.id, None, SUSPENDED)
        version = int(user.suspended_at.timestamp())
        publish(AccountSuspended(user_id=user.id, version=version))
        enqueue("close_again", delay=LATE_WRITES, user_id=user.id, version=version)
    return save(user)


def tell_suspended(user_id: int, version: int) -> None:
    """Publish AccountSuspended again, for what a running request put up meanwhile; `version` is the suspension's
    second, and nothing happens where another one, or none, is in force."""
    rows = fetch(select(User.suspended_at).where(User.id == user_id))
    if rows and rows[0].suspended_at is not None and int(rows[0].suspended_at.timestamp()) == version:
        publish(AccountSuspended(user_id=user_id, version=version))


def reinstate(user: User, *, by: User | None = None) -> User:
    """Reactivate the account; what was taken down stays down until its owner puts it back. Raises NotYourself, NotStaff
    (403), Erased (409)."""
    _check(user, by)
    if user.suspended_at is not None:
        user.suspended_at, user.suspension_reason, user.is_active = None, None, True
        audit_log.record("account.reinstated", "user", user.id)
        publish(AccountReinstated(user_id=user.id, version=int(now().timestamp())))
    return save(user)


def erase(user: User) -> User:
    """Blank what names the person in the account, deactivate it and end its sign-ins; other slices erase the rest on
    AccountErased. Raises Erased (409)."""
    _check(user, None)
    _unname(user)
    user.is_active, user.erased_at = False, now()
    sessions_service.end_others(user.id, None, ERASED)
    audit_log.record("account.erased", "user", user.id)
    publish(AccountErased(user_id=user.id))
    return save(user)


def is_erased(user_id: int) -> bool:
    """Whether the account was erased; False for an id nobody has."""
    return bool(fetch(select(User.id).where(User.id == user_id, User.erased_at.is_not(None))))


def unname(user_id: int) -> None:
    """Blank the account again, for what a request wrote that was running while it was erased; no effect on a living
    account."""
    user = db.session.scalar(select(User).where(User.id == user_id, User.erased_at.is_not(None)))
    if user is not None:
        _unname(user)


def set_verified(user_id: int, is_verified: bool) -> None:
    """Give or take the verified badge; raises Erased (409)."""
    living = update(User).where(User.id == user_id, User.erased_at.is_(None))
    if not execute(living.values(is_verified=is_verified, updated_at=now())):
        raise Erased()


def _unname(user: User) -> None:
    said = user.search_text
    for name in UNNAMED:
        setattr(user, name, NOBODY.get(name))
    user.username = user.username_key = f"erased-{user.id}"  # a hyphen: nobody can choose such a name
    user.email = f"erased-{user.id}@erased.invalid"
    db.session.flush()
    full_text.forget_words([said])


def _check(user: User, by: User | None) -> None:
    if user.erased_at is not None:
        raise Erased()
    if by is not None and by.id == user.id:
        raise NotYourself()
    if by is not None and by.role != "admin" and user.role != "user":
        raise NotStaff()
