"""Accounts: registering, checking passwords, editing profiles, keeping their counters."""

import secrets
from functools import cache
from typing import Any

from sqlalchemy import Float, bindparam, case, cast, exists, func, or_, select, update

from marketplace.auth import activity
from marketplace.auth.client_context import here
from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import USERNAME, USERNAME_RULE, EmailTaken, SignIn, User, UsernameTaken
from marketplace.auth.passwords import attempts, password_hash
from marketplace.auth.phone_numbers import same
from marketplace.auth.sessions import service as sessions_service
from marketplace.auth.sessions.service import PASSWORD_CHANGED
from marketplace.core.database.db import db, execute, fetch, in_transaction, save
from marketplace.core.database.prices import minor_units
from marketplace.core.lists import full_text
from marketplace.core.ops import audit_log, security_log
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import PasswordChanged, ProfileChanged, UserRegistered
from marketplace.kit import normalization
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid, NotAllowed, NotSignedIn
from marketplace.kit.normalization import email_address

NAMES = ("first_name", "last_name")
# Asked with every token, so it is built once.
SIGNED_IN_PERSON = (
    select(User)
    .join(SignIn, SignIn.user_id == User.id)
    .where(
        User.id == bindparam("user_id"),
        SignIn.id == bindparam("sid"),
        SignIn.ended_at.is_(None),
        User.is_active,
    )
)


class WrongPassword(NotAllowed):
    """403: somebody signed in gave a wrong present password."""

    code = "wrong_password"
    sentence = "The current password is not right."


class BadCredentials(NotSignedIn):
    """401, the same sentence for every cause, so that nobody learns who has an account."""

    code = "bad_credentials"
    sentence = "The e-mail or the password is not right."


def register(*, username: str, email: str, **profile: Any) -> User:
    """Open an account; raises UsernameTaken or EmailTaken (409)."""
    if why_unavailable(username):
        raise UsernameTaken()
    refuse_taken(email)
    user = save(
        User(
            username=username,
            username_key=username.lower(),
            email=email_address(email),
            **profile,
        )
    )
    publish(UserRegistered(user_id=user.id))
    email_tokens.issue(user.id, email_tokens.VERIFY, user.email)
    return user


def check_credentials(name: str, password: str) -> tuple[int | None, str | None]:
    """The id of the account of this e-mail or username, and the hash if the password fits it; None for what is not
    so."""
    account = select(User.id, User.password_hash, User.is_active).where(
        or_(User.email == name, User.username_key == name)
    )
    found = fetch(account)
    known = bool(found) and found[0].is_active
    # Hash in both cases: the time must not tell whether the account exists.
    form = password_hash.matching_form(found[0].password_hash if known else _nobodys_hash(), password)
    if not known or form is None:
        return found[0].id if found else None, None
    return found[0].id, _renewed(found[0], form)


def _renewed(account: Any, form: str) -> str:
    """The hash of the password, made anew and stored where the old one was not of the normal form."""
    if form == normalization.password(form):
        return str(account.password_hash)
    renewed, mine = hash_password(form), (User.id == account.id, User.password_hash == account.password_hash)
    in_transaction(lambda: execute(update(User).where(*mine).values(password_hash=renewed)))
    return renewed


def id_of(name: str) -> int | None:
    """The id of the account of this e-mail or username; None where there is none."""
    rows = fetch(select(User.id).where(or_(User.email == name, User.username_key == name)))
    return rows[0].id if rows else None


def active(user_id: int) -> User:
    """The active account of this id; raises BadCredentials (401)."""
    return _found(select(User).where(User.id == user_id, User.is_active))


def locked_user(user_id: int) -> User:
    """As `active`, locked until the commit: it cannot be suspended, erased or given a new password in between."""
    mine = select(User).where(User.id == user_id, User.is_active).with_for_update(key_share=True)
    return _found(mine.execution_options(populate_existing=True))


def knows_password(user_id: int, present_hash: str, password: str) -> bool:
    """Whether somebody signed in knows their own password; counted by the same limits as signing in. Raises TooMany
    (429)."""
    attempts.spend_own(user_id, here())
    is_right = password_hash.fits(present_hash, password)
    if not is_right:
        security_log.record("wrong_password", user_id=user_id)
    return is_right


def hold(user_id: int) -> None:
    """Lock the account's row until the commit."""
    fetch(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def set_password(user: User, new_hash: str, *, kept: str | None) -> None:
    """Store a new hash and end every sign-in but `kept`."""
    user.password_hash, user.password_set_at = new_hash, now()
    user.touch()
    db.session.flush()
    sessions_service.end_others(user.id, kept, PASSWORD_CHANGED)
    publish(PasswordChanged(user_id=user.id, version=int(user.updated_at.timestamp())))


def person_of(claims: dict[str, Any]) -> User | None:
    """The active person of a token's claims, whose sign-in has not ended; None else."""
    user = db.session.scalar(SIGNED_IN_PERSON, {"sid": claims.get("sid"), "user_id": int(claims["sub"])})
    if user is not None:
        activity.note(claims["sid"])
    return user


def edit_profile(user: User, *, hourly_rate: Any = None, **changes: Any) -> User:
    """Change what was sent; raises Invalid (422) for a rate its currency cannot hold."""
    if "phone" in changes and not same(changes["phone"], user.phone):
        user.phone_verified, user.phone_key = False, None
    if user.is_verified and any(changes.get(name, getattr(user, name)) != getattr(user, name) for name in NAMES):
        user.is_verified = False  # the documents showed another name
        audit_log.record("badge.taken", "user", user.id, why="a new name")
    said = user.search_text
    for name, value in changes.items():
        setattr(user, name, value)
    if hourly_rate is not None:
        user.hourly_rate_minor = minor_units("hourly_rate", hourly_rate, user.currency)
    user.touch()
    db.session.flush()
    if not user.search_text:
        full_text.forget_words([said])
    publish(ProfileChanged(user_id=user.id))
    return user


def complete_registration(user: User, *, username: str | None = None, **profile: Any) -> User:
    """Store what a first visit asked; another username only then. Raises Invalid (422), UsernameTaken (409)."""
    if username is not None and username != user.username:
        _rename(user, username)
    user.onboarding_completed = True
    return edit_profile(user, **profile)


def _rename(user: User, username: str) -> None:
    if user.onboarding_completed:
        raise Invalid.field("username", "A username is chosen on the first visit, and stays.")
    if username.lower() != user.username_key and why_unavailable(username):
        raise UsernameTaken()
    user.username, user.username_key = username, username.lower()


def count_completed(worker_id: int) -> None:
    """Add one completed task, in SQL, so that two at once both count."""
    execute(update(User).where(User.id == worker_id).values(completed_tasks=User.completed_tasks + 1))


def count_declined(worker_id: int) -> None:
    """Add one assignment given back, in SQL as `count_completed`."""
    execute(update(User).where(User.id == worker_id).values(declined_tasks=User.declined_tasks + 1))


def count_rating(user_id: int, *, rating: int, reviews: int) -> None:
    """Add to the sums that a person's average rating is made of; negative values take away."""
    total, count = User.rating_sum + rating, User.reviews_count + reviews
    average = case((count > 0, cast(total, Float) / func.nullif(count, 0)), else_=0.0)
    changed = update(User).where(User.id == user_id)
    execute(changed.values(rating_sum=total, reviews_count=count, average_rating=average))


def why_unavailable(username: str) -> str | None:
    """The sentence why a username cannot be had; None where it can."""
    if not USERNAME.fullmatch(username):
        return USERNAME_RULE
    if db.session.scalar(select(exists().where(User.username_key == username.lower()))):
        return UsernameTaken.sentence
    return None


def refuse_taken(email: str) -> None:
    """Raises EmailTaken (409) where an account has this address."""
    if db.session.scalar(select(exists().where(User.email == email_address(email)))):
        raise EmailTaken()


def hash_password(password: str) -> str:
    """Salted, by the configured method."""
    return password_hash.make(password)


@cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_hex())


def _found(query: Any) -> User:
    user: User | None = db.session.scalar(query)
    if user is None:
        raise BadCredentials()
    return user
