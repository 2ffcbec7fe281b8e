"""Offerings to read."""

from typing import Any

from sqlalchemy import Table, bindparam, select

from marketplace.auth.models import User
from marketplace.auth.policy import eyes_of
from marketplace.auth.queries import display_name
from marketplace.catalog.queries import tree
from marketplace.core.db import db, fetch, one
from marketplace.core.lists import ListQuery, Ranked
from marketplace.core.pagination import Page
from marketplace.core.permissions import STAFF
from marketplace.core.prices import rank_from
from marketplace.core.ranking import Find
from marketplace.core.search import matches
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.kit.text import join_links
from marketplace.offerings import policy
from marketplace.offerings.lifecycle import OFFERING_LIFECYCLE, S
from marketplace.offerings.models import Offering

OFFERINGS: Table = Offering.metadata.tables["offerings"]
USERS: Table = User.metadata.tables["users"]
NOT_ANSWERED = {"version", "price_rank", "search_text", "import_ref"}
CREATOR = [
    USERS.c[name].label(f"creator_{name}")
    for name in (
        "username",
        "first_name",
        "last_name",
        "avatar_url",
        "average_rating",
        "reviews_count",
        "completed_tasks",
    )
]

BROWSE = ListQuery(
    name="offerings",
    table=OFFERINGS,
    columns=[*(column for column in OFFERINGS.c if column.name not in NOT_ANSWERED), *CREATOR],
    joined=OFFERINGS.join(USERS, USERS.c.id == OFFERINGS.c.creator_id),
    near=True,
    filters={
        "ids": OFFERINGS.c.id.in_(bindparam("ids", expanding=True)),
        "seen_by": policy.seen_by(OFFERINGS.c, bindparam("seen_by")),
        "category": OFFERINGS.c.category == bindparam("category"),
        "categories": OFFERINGS.c.category.in_(bindparam("categories", expanding=True)),
        "subcategory": OFFERINGS.c.subcategory == bindparam("subcategory"),
        "status": OFFERINGS.c.status == bindparam("status"),
        "living": OFFERINGS.c.status != bindparam("living"),
        "price_from": OFFERINGS.c.price_rank >= bindparam("price_from"),
        "price_to": OFFERINGS.c.price_rank.between(0, bindparam("price_to")),
        "price_type": OFFERINGS.c.price_type == bindparam("price_type"),
        "creator_id": OFFERINGS.c.creator_id == bindparam("creator_id"),
        "owner_id": OFFERINGS.c.creator_id == bindparam("owner_id"),
        "q": lambda: matches("offerings"),
    },
    sorts={
        "created_at": OFFERINGS.c.created_at,
        "rating": USERS.c.average_rating,
        "price": OFFERINGS.c.price_rank,
    },
    default_sort="-created_at",
    ranked=Ranked(title=[OFFERINGS.c.title], owner=USERS),
)


def best(**query: Any) -> list[Find]:
    """What everybody may see and a search finds, the best first."""
    return BROWSE.best(_on_view(query))


def newest(most: int, **query: Any) -> list[Any]:
    """The newest that everybody may see and a search finds; `title_0` is the title."""
    return BROWSE.newest(_on_view(query), most)


def facets(**query: Any) -> dict[str, list[Any]]:
    """How what everybody may see divides: rows of a value and its count, and the amounts of each currency."""
    return BROWSE.facets(_on_view(query), ("category", "price_type"), OFFERINGS.c.price_minor)


def newly_posted(thing_id: int) -> Any | None:
    """An offering to be compared with saved searches; None where nobody sees it any more."""
    names = ("id", "title", "search_text", "category", "latitude", "longitude", "created_at")
    columns = [*(OFFERINGS.c[name] for name in names), OFFERINGS.c.creator_id.label("owner_id")]
    rows = fetch(select(*columns).where(OFFERINGS.c.id == thing_id, OFFERINGS.c.status == S.ACTIVE))
    return rows[0] if rows else None


def browse(viewer: User | None, **query: Any) -> Page:
    """Active ones; other states narrow to one's own."""
    params = _prepared(query)
    if params["status"] != S.ACTIVE and not (viewer and viewer.role in STAFF):
        params["owner_id"] = viewer.id if viewer else 0
    return BROWSE.page(params, lambda row: view(viewer, row))


def mine(user: User, **query: Any) -> Page:
    """One's own in every state."""
    params = {**_prepared(query), "owner_id": user.id, "living": S.DELETED}
    return BROWSE.page(params, lambda row: view(user, row))


def find(viewer: User | None, offering_id: int) -> Offering:
    """One visible offering to change; raises NotFound."""
    return one(policy.visible_to(viewer).where(Offering.id == offering_id), "offering")


def living_of(creator_id: int, *, on_list: bool) -> list[Offering]:
    """A person's own, to be moved; `on_list`: only those others see."""
    mine = select(Offering).where(Offering.creator_id == creator_id, Offering.status != S.DELETED)
    shown = mine.where(Offering.status == S.ACTIVE) if on_list else mine
    return list(db.session.scalars(shown.order_by(Offering.id)))


def detail(viewer: User | None, offering_id: int) -> JsonObject:
    """One visible offering with its provider; raises NotFound."""
    found = by_ids(viewer, [offering_id])
    if not found:
        raise NotFound.of("offering")
    return found[offering_id]


def by_ids(viewer: User | None, ids: list[int]) -> dict[int, JsonObject]:
    """Visible ones of these, by id."""
    params = {"ids": ids, "per_page": len(ids), "living": S.DELETED, **eyes_of(viewer)}
    return {item["id"]: item for item in BROWSE.page(params, lambda row: view(viewer, row)).items}


def view(viewer: User | None, row: Any) -> JsonObject:
    """An offering as the contract names its fields."""
    body = {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "category": row.category,
        "subcategory": row.subcategory,
        "location": row.location,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "price": None if row.price_minor is None else to_major(row.price_minor, row.currency),
        "price_minor": row.price_minor,
        "price_type": row.price_type,
        "currency": row.currency,
        "status": row.status,
        "creator_id": row.creator_id,
        "creator_name": display_name(row.creator_username, row.creator_first_name, row.creator_last_name),
        "creator_avatar": row.creator_avatar_url,
        "creator_rating": round(row.creator_average_rating, 2),
        "creator_review_count": row.creator_reviews_count,
        "creator_completed_tasks": row.creator_completed_tasks,
        "availability": row.availability,
        "experience": row.experience,
        "service_radius": row.service_radius,
        "image_urls": row.images,
        "images": join_links(row.images),
        "contact_count": row.contact_count,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "available_actions": OFFERING_LIFECYCLE.actions(row.status, policy.role_of(viewer, row)),
    }
    distance = getattr(row, "distance", None)
    return body if distance is None else {**body, "distance": round(distance, 2)}


def _on_view(query: dict[str, Any]) -> JsonObject:
    return _prepared({"status": S.ACTIVE, **query})


def _prepared(query: dict[str, Any]) -> JsonObject:
    prices = {
        "price_from": rank_from(query.pop("min_price", None), at_least=True),
        "price_to": rank_from(query.pop("max_price", None), at_least=False),
    }
    return {**query, **tree().filter(query.pop("category", None)), **prices}
