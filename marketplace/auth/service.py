"""Register, log in and out, edit a profile."""

import secrets
from functools import cache
from typing import Any

from flask import current_app
from flask_jwt_extended import create_access_token, create_refresh_token
from sqlalchemy import Float, bindparam, case, cast, exists, func, or_, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from marketplace.auth.models import USERNAME, USERNAME_RULE, EmailTaken, SignIn, User, UsernameTaken
from marketplace.core.db import db, execute, save
from marketplace.core.outbox import publish
from marketplace.core.prices import minor_units
from marketplace.events.auth import ProfileChanged, UserRegistered
from marketplace.kit.clock import now
from marketplace.kit.errors import NotSignedIn

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


class BadCredentials(NotSignedIn):
    """One sentence for every cause, so that nobody learns who has an account."""

    code = "bad_credentials"
    sentence = "The e-mail or the password is not right."


def register(*, username: str, email: str, password: str, **profile: Any) -> User:
    """Open an account; raises UsernameTaken or EmailTaken (409)."""
    _refuse_taken(username, email)
    user = save(
        User(
            username=username,
            username_key=username.lower(),
            email=email.lower(),
            password_hash=hash_password(password),
            **profile,
        )
    )
    publish(UserRegistered(user_id=user.id))
    return user


def authenticate(*, password: str, email: str = "", username: str = "") -> User:
    """The person behind an e-mail (or username) and password; raises BadCredentials (401)."""
    name = (email or username).lower()
    user = db.session.scalar(select(User).where(or_(User.email == name, User.username_key == name)))
    known = user is not None and user.is_active
    # Hash in both cases: the time must not tell whether the account exists.
    fits = check_password_hash(user.password_hash if user and known else _nobodys_hash(), password)
    if user is None or not known or not fits:
        raise BadCredentials()
    return user


def tokens_for(user: User, message: str, sign_in_id: str | None = None) -> dict[str, Any]:
    """An access and a refresh token of one sign-in (a new one unless named)."""
    if sign_in_id is None:
        sign_in_id = save(SignIn(id=secrets.token_urlsafe(16), user_id=user.id)).id
    claims = {"sid": sign_in_id}
    access = create_access_token(str(user.id), additional_claims=claims)
    refresh = create_refresh_token(str(user.id), additional_claims=claims)
    return {"message": message, "token": access, "access_token": access, "refresh_token": refresh}


def log_out(sign_in_id: str) -> None:
    """End this sign-in: its access and refresh tokens stop counting at once."""
    execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(ended_at=now()))


def person_of(claims: dict[str, Any]) -> User | None:
    """The active person of a living sign-in."""
    return db.session.scalar(SIGNED_IN_PERSON, {"sid": claims.get("sid"), "user_id": int(claims["sub"])})


def edit_profile(user: User, *, hourly_rate: Any = None, **changes: Any) -> User:
    """Change what was sent; raises Invalid (422) for a rate its currency cannot hold."""
    for name, value in changes.items():
        setattr(user, name, value)
    if hourly_rate is not None:
        user.hourly_rate_minor = minor_units("hourly_rate", hourly_rate, user.currency)
    user.touch()
    db.session.flush()
    publish(ProfileChanged(user_id=user.id))
    return user


def count_completed(worker_id: int) -> None:
    """One more completed task; the sum is kept by the database, so that two at once both count."""
    execute(update(User).where(User.id == worker_id).values(completed_tasks=User.completed_tasks + 1))


def count_declined(worker_id: int) -> None:
    """One more assignment given back."""
    execute(update(User).where(User.id == worker_id).values(declined_tasks=User.declined_tasks + 1))


def count_rating(user_id: int, *, rating: int, reviews: int) -> None:
    """Add to (or take from) the sums a person's average is made of."""
    total, count = User.rating_sum + rating, User.reviews_count + reviews
    average = case((count > 0, cast(total, Float) / func.nullif(count, 0)), else_=0.0)
    changed = update(User).where(User.id == user_id)
    execute(changed.values(rating_sum=total, reviews_count=count, average_rating=average))


def why_unavailable(username: str) -> str | None:
    """Why a username cannot be had, None where it can."""
    if not USERNAME.fullmatch(username):
        return USERNAME_RULE
    if db.session.scalar(select(exists().where(User.username_key == username.lower()))):
        return UsernameTaken.sentence
    return None


def hash_password(password: str) -> str:
    """Salted, by the configured method."""
    return generate_password_hash(password, method=current_app.config["PASSWORD_METHOD"])


@cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_hex())


def _refuse_taken(username: str, email: str) -> None:
    if why_unavailable(username):
        raise UsernameTaken()
    if db.session.scalar(select(exists().where(User.email == email.lower()))):
        raise EmailTaken()
