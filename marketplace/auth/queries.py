"""Profiles, as others and as the person see them, and single columns of people."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause, Select, select

from marketplace.auth import last_seen
from marketplace.auth.models import User
from marketplace.auth.policy import visible_to
from marketplace.core.database.db import fetch, first_as, one
from marketplace.core.http.access import reader_language
from marketplace.core.lists import ranking
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.kit.text import join_list

ONLINE_FOR = timedelta(minutes=3)
NAME = ("username", "first_name", "last_name")


def find(viewer: User | None, user_id: int) -> User:
    """One visible person; raises NotFound."""
    return one(visible_to(viewer).where(User.id == user_id), "person")


def everybody() -> Select[User]:
    """Every account in any state, for staff."""
    return select(User)


class Reachable(Protocol):
    """The columns of a person that a notification needs."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    phone: str | None
    phone_verified: bool
    language: str
    time_zone: str


def reachable(user_id: int, *, closed: bool = False) -> Reachable | None:
    """The columns needed to notify somebody. None where the account is not active, or, with `closed`, only where it was
    erased."""
    columns = ("id", "username", "first_name", "last_name", "email", "phone", "phone_verified", "language", "time_zone")
    living = User.erased_at.is_(None) if closed else User.is_active
    return first_as(Reachable, select(*(getattr(User, name) for name in columns)).where(User.id == user_id, living))


def greeting_name(user: Any) -> str:
    """The first name, else the username."""
    return str(user.first_name or user.username)


def first_name_of(user_id: int) -> str:
    """`greeting_name` by id; empty where the account is not active."""
    user = reachable(user_id)
    return greeting_name(user) if user is not None else ""


def username_of(user_id: int) -> str:
    """The username; empty where there is no such account."""
    rows = fetch(select(User.username).where(User.id == user_id))
    return rows[0].username if rows else ""


def suspension_reason(user_id: int) -> str:
    """The reason staff gave; empty for who is not suspended."""
    rows = fetch(select(User.suspension_reason).where(User.id == user_id))
    return (rows[0].suspension_reason or "") if rows else ""


def language_of(user_id: int) -> str:
    """The person's language code; `en` where there is no such account."""
    rows = fetch(select(User.language).where(User.id == user_id))
    return rows[0].language if rows else "en"


def is_helper(user_id: int) -> bool:
    """Whether this person offers help."""
    return bool(fetch(select(User.id).where(User.id == user_id, User.is_helper)))


def name_of(user_id: int | None) -> str:
    """The display name; empty where there is no such account."""
    rows = fetch(select(User.username, User.first_name, User.last_name).where(User.id == user_id))
    return display_name(rows[0].username, rows[0].first_name, rows[0].last_name) if rows else ""


def pictures(user_id: int) -> list[str]:
    """The URLs of avatar and profile picture, those that are set."""
    rows = fetch(select(User.avatar_url, User.profile_picture_url).where(User.id == user_id))
    return [link for row in rows for link in row if link]


def public_view(user: Any) -> JsonObject:
    """A profile for others: no e-mail, no phone, the position rounded to 2 decimals (about a kilometre)."""
    return {
        "id": user.id,
        "username": user.username,
        **_profile(user),
        "skills": user.skills,
        "helper_categories": user.helper_categories,
        "latitude": user.area_latitude,
        "longitude": user.area_longitude,
        **_standing(user),
        "created_at": user.created_at,
    }


def private_view(user: User) -> JsonObject:
    """A profile for its owner."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "phone": user.phone,
        **_profile(user),
        "is_active": user.is_active,
        "is_admin": user.role == "admin",
        "onboarding_completed": user.onboarding_completed,
        "email_verified": user.email_verified,
        "phone_verified": user.phone_verified,
        "skills": join_list(user.skills),
        "helper_categories": join_list(user.helper_categories),
        "latitude": user.latitude,
        "longitude": user.longitude,
        **_standing(user),
        "created_at": user.created_at,
        "language": user.language,
        "time_zone": user.time_zone,
        "updated_at": user.updated_at,
    }


def display_name(username: str, first_name: str, last_name: str) -> str:
    """The full name where there is one, else the username."""
    return f"{first_name} {last_name}".strip() or username


def person_columns(people: FromClause, prefix: str, *names: str) -> list[ColumnElement[Any]]:
    """Columns of a joined person, labelled `<prefix>_<name>`: the parts of their name, and `names`."""
    return [people.c[name].label(f"{prefix}_{name}") for name in (*NAME, *names)]


def name_in(row: Any, prefix: str) -> str:
    """The display name out of a row that has `person_columns` of this prefix."""
    return display_name(*(getattr(row, f"{prefix}_{part}") for part in NAME))


def hourly_rate(user: Any) -> float | None:
    """In major units of the person's currency; None where none is set."""
    return None if user.hourly_rate_minor is None else to_major(user.hourly_rate_minor, user.currency)


def completion_rate(user: Any) -> float:
    """Per cent of taken-up tasks that were completed rather than given back."""
    ended = user.completed_tasks + user.declined_tasks
    return round(100 * user.completed_tasks / ended, 1) if ended else 0.0


def reputation_score(user: Any) -> float:
    """Bayesian mean of the ratings; 0 without any."""
    return round(ranking.mean(user.rating_sum, user.reviews_count), 2) if user.reviews_count else 0.0


def _profile(user: Any) -> JsonObject:
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar_url": user.avatar_url,
        "profile_picture_url": user.profile_picture_url,
        "bio": user.bio,
        "city": user.city,
        "country": user.country,
        "is_verified": user.is_verified,
        "user_type": user.user_type if user.role == "user" and user.user_type else user.role,
        "is_helper": user.is_helper,
        "hourly_rate": hourly_rate(user),
        "hourly_rate_minor": user.hourly_rate_minor,
        "currency": user.currency,
    }


def is_online(user: Any) -> bool:
    """Whether a request of theirs came within the last minutes."""
    return user.last_active_at is not None and user.last_active_at > now() - ONLINE_FOR


def _standing(user: Any) -> JsonObject:
    return {
        "reputation_score": reputation_score(user),
        "completion_rate": completion_rate(user),
        "completed_tasks": user.completed_tasks,
        "tasks_completed": user.completed_tasks,
        "average_rating": round(user.average_rating, 2),
        "reviews_count": user.reviews_count,
        "availability": user.availability,
        "last_active_at": user.last_active_at,
        "is_online": is_online(user),
        **last_seen.view(user.last_active_at, is_online=is_online(user), language=reader_language()),
    }


def ids_with_roles(roles: Collection[str]) -> list[int]:
    """Ids of the active accounts with one of these roles."""
    theirs = select(User.id).where(User.role.in_(roles), User.is_active)
    return [row.id for row in fetch(theirs.order_by(User.id))]
