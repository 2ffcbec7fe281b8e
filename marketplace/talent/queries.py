"""Helpers: people who offer to help, or have completed a task."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, bindparam, or_, true, type_coerce

from marketplace.auth.models import User
from marketplace.auth.queries import display_name, hourly_rate
from marketplace.catalog.queries import MOST_AT_ONCE, split_keys, tree
from marketplace.core.database.db import listed
from marketplace.core.lists.facets import Facets
from marketplace.core.lists.full_text import matches
from marketplace.core.lists.list_query import ListQuery, Ranked, TitledRow
from marketplace.core.lists.near import with_distance
from marketplace.core.lists.pagination import Page
from marketplace.core.lists.ranking import SearchHit
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import contains

USERS: Table = User.metadata.tables["users"]
PRIVATE = {"email", "phone", "password_hash", "latitude", "longitude", "search_text"}


def _offers(parameter: str) -> ColumnElement[bool]:
    return type_coerce(USERS.c.helper_categories, Text).like(bindparam(parameter, type_=Text()), escape="\\")


SKILLS = type_coerce(USERS.c.skills, Text)

HELPERS = ListQuery(
    name="helpers",
    table=USERS,
    columns=[column for column in USERS.c if column.name not in PRIVATE],
    near=True,
    position=("area_latitude", "area_longitude"),
    filters={
        "q": lambda: matches("users"),
        "helping": (USERS.c.is_active == true()) & or_(USERS.c.is_helper == true(), USERS.c.completed_tasks > 0),
        "offering": (USERS.c.is_active == true()) & (USERS.c.is_helper == true()),
        "ids": USERS.c.id.in_(bindparam("ids", expanding=True)),
        "category": _offers("category"),
        "categories": or_(*(_offers(f"category_{place}") for place in range(MOST_AT_ONCE))),
    },
    sorts={
        "rating": USERS.c.average_rating,
        "review_count": USERS.c.reviews_count,
        "completed_tasks": USERS.c.completed_tasks,
        "created_at": USERS.c.created_at,
    },
    default_sort="-rating,-review_count",
    ranked=Ranked(title=[USERS.c.first_name, USERS.c.last_name, USERS.c.username, SKILLS], owner=USERS),
)


def browse(category: str | None = None, **query: Any) -> Page:
    """Helpers, nearest first where a position is given, else best rated first."""
    least = query.pop("min_results", None)
    return HELPERS.page_of_at_least(least, {**query, "helping": True, **_offered(category)}, view)


def best(category: str | None = None, **query: Any) -> list[SearchHit]:
    """Search hits among those who offer to help, best first."""
    return HELPERS.best({**query, "offering": True, **_offered(category)})


def latest(most: int, **query: Any) -> list[TitledRow]:
    """The newest who offer to help of the latest with the words."""
    return HELPERS.latest({**query, "offering": True}, most)


def facets(category: str | None = None, **query: Any) -> Facets:
    """How those who offer to help divide, each of their categories and skills counted, and their hourly rates."""
    params = {**query, "offering": True, **_offered(category)}
    found = HELPERS.facets(params, ("helper_categories", "skills"), USERS.c.hourly_rate_minor)
    values = {"category": found.values["helper_categories"], "skills": found.values["skills"]}
    return replace(found, values=values)


def by_ids(_viewer: User | None, ids: list[int]) -> dict[int, JsonObject]:
    """Those of these ids who offer to help, by id."""
    return HELPERS.by_ids(ids, {"offering": True}, view)


def name_of(row: Any) -> str:
    """The display name, for `best` and `latest`."""
    return display_name(row.title_2, row.title_0, row.title_1)


def _offered(category: str | None) -> JsonObject:
    """The list parameter for one category or several; a statement has MOST_AT_ONCE places, the first fills the rest."""
    sought = [contains(listed(tree().resolve(key.lower()) or key)) for key in split_keys(category)]
    if len(sought) < 2:
        return {"category": sought[0] if sought else None}
    filled = sought + sought[:1] * (MOST_AT_ONCE - len(sought))
    return {"categories": {f"category_{place}": one for place, one in enumerate(filled)}}


def view(row: Any) -> JsonObject:
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
    return with_distance(body, row)
