"""People who help: they offered to, or have completed a task."""

from typing import Any

from sqlalchemy import Table, Text, bindparam, or_, true, type_coerce

from marketplace.auth.models import User
from marketplace.auth.queries import display_name, hourly_rate
from marketplace.catalog.queries import tree
from marketplace.core.lists import ListQuery
from marketplace.core.pagination import Page
from marketplace.kit.text import contains

USERS: Table = User.metadata.tables["users"]
PRIVATE = {"email", "phone", "password_hash", "latitude", "longitude"}

HELPERS = ListQuery(
    name="helpers",
    table=USERS,
    columns=[column for column in USERS.c if column.name not in PRIVATE],
    near=True,
    position=("area_latitude", "area_longitude"),
    filters={
        "helping": (USERS.c.is_active == true()) & or_(USERS.c.is_helper == true(), USERS.c.completed_tasks > 0),
        "category": type_coerce(USERS.c.helper_categories, Text).like(bindparam("category", type_=Text()), escape="\\"),
    },
    sorts={
        "rating": USERS.c.average_rating,
        "review_count": USERS.c.reviews_count,
        "completed_tasks": USERS.c.completed_tasks,
        "created_at": USERS.c.created_at,
    },
    default_sort="-rating,-review_count",
)


def browse(category: str | None = None, **query: Any) -> Page:
    """Helpers, nearest first when asked by position, best rated first otherwise."""
    known = tree().resolve(category.strip().lower()) if category else None
    word = contains(f",{known or category},") if category else None
    return HELPERS.page({**query, "helping": True, "category": word}, view)


def view(row: Any) -> dict[str, Any]:
    """A helper as the contract names the fields; the position is rounded to about a kilometre."""
    body = {
        "id": row.id,
        "name": display_name(row.username, row.first_name, row.last_name),
        "avatar": row.avatar_url,
        "bio": row.bio,
        "city": row.city,
        "latitude": row.area_latitude,
        "longitude": row.area_longitude,
        "rating": round(row.average_rating, 2),
        "review_count": row.reviews_count,
        "completed_tasks": row.completed_tasks,
        "skills": row.skills,
        "categories": row.helper_categories,
        "hourly_rate": hourly_rate(row),
        "price_minor": row.hourly_rate_minor,
        "currency": row.currency,
        "is_available": row.is_helper,
        "member_since": row.created_at,
    }
    distance = getattr(row, "distance", None)
    return body if distance is None else {**body, "distance": round(distance, 2)}
