"""Lists of offerings, and one in full."""

from typing import Any

from sqlalchemy import Select, Table, bindparam, select

from marketplace.auth.models import User
from marketplace.auth.policy import eyes_of, own_only
from marketplace.auth.queries import name_in, person_columns
from marketplace.catalog.queries import category_filters, tree
from marketplace.core.database.db import db, one
from marketplace.core.database.prices import rank_bounds
from marketplace.core.lists.full_text import matches
from marketplace.core.lists.list_query import ListQuery, Ranked, equal_to
from marketplace.core.lists.near import with_distance
from marketplace.core.lists.pagination import Page
from marketplace.core.lists.public_list import PublicList
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.kit.text import join_links
from marketplace.offerings import policy
from marketplace.offerings.lifecycle import OFFERING_LIFECYCLE, OfferingStatus
from marketplace.offerings.models import Offering

OFFERINGS: Table = Offering.metadata.tables["offerings"]
USERS: Table = User.metadata.tables["users"]
NOT_ANSWERED = {"version", "price_rank", "search_text", "import_ref"}
CREATOR = person_columns(USERS, "creator", "avatar_url", "average_rating", "reviews_count", "completed_tasks")

BROWSE = ListQuery(
    name="offerings",
    table=OFFERINGS,
    columns=[*(column for column in OFFERINGS.c if column.name not in NOT_ANSWERED), *CREATOR],
    joined=OFFERINGS.join(USERS, USERS.c.id == OFFERINGS.c.creator_id),
    near=True,
    filters={
        "ids": OFFERINGS.c.id.in_(bindparam("ids", expanding=True)),
        "seen_by": policy.seen_by(OFFERINGS.c, bindparam("seen_by")),
        **category_filters(OFFERINGS.c),
        "status": OFFERINGS.c.status == bindparam("status"),
        "living": OFFERINGS.c.status != bindparam("living"),
        "price_from": OFFERINGS.c.price_rank >= bindparam("price_from"),
        "price_to": OFFERINGS.c.price_rank.between(0, bindparam("price_to")),
        **equal_to(OFFERINGS.c, "price_type", "creator_id"),
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


def browse(viewer: User | None, **query: Any) -> Page:
    """Active offerings; asked for another state, one's own in it."""
    params = _prepared(query)
    if params["status"] != OfferingStatus.ACTIVE:
        params |= own_only(viewer)
    return BROWSE.page(params, lambda row: view(viewer, row))


def mine(user: User, **query: Any) -> Page:
    """One's own in every state."""
    params = {**_prepared(query), "owner_id": user.id, "living": OfferingStatus.DELETED}
    return BROWSE.page(params, lambda row: view(user, row))


def everybodys(staff: User, *, status: str | None = None, **query: Any) -> Page:
    """Offerings of everybody, in one state or ("all") in any but deleted."""
    params = {**_prepared(query), "status": None if status == "all" else status, "living": OfferingStatus.DELETED}
    return BROWSE.page(params, lambda row: view(staff, row))


def find(viewer: User | None, offering_id: int) -> Offering:
    """One visible offering to change; raises NotFound."""
    return one(policy.visible_to(viewer).where(Offering.id == offering_id), "offering")


def living_of(creator_id: int, *, on_list: bool) -> list[Offering]:
    """A person's offerings that are not deleted; with `on_list` only those others see."""
    mine = select(Offering).where(Offering.creator_id == creator_id, Offering.status != OfferingStatus.DELETED)
    shown = mine.where(Offering.status == OfferingStatus.ACTIVE) if on_list else mine
    return list(db.session.scalars(shown.order_by(Offering.id)))


def talked_about(viewer: User | None) -> Select[int, str, int]:
    """What a conversation may be about: id, title and owner_id of those that the viewer sees."""
    owner = Offering.creator_id.label("owner_id")
    return policy.visible_to(viewer).with_only_columns(Offering.id, Offering.title, owner)


def detail(viewer: User | None, offering_id: int) -> JsonObject:
    """One visible offering with its provider; raises NotFound."""
    found = by_ids(viewer, [offering_id])
    if not found:
        raise NotFound.of("offering")
    return found[offering_id]


def by_ids(viewer: User | None, ids: list[int]) -> dict[int, JsonObject]:
    """Those of these ids that the viewer may see, by id."""
    return BROWSE.by_ids(ids, {"living": OfferingStatus.DELETED, **eyes_of(viewer)}, lambda row: view(viewer, row))


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
        "creator_name": name_in(row, "creator"),
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
        "is_boost_active": False,
        "is_premium": False,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "available_actions": OFFERING_LIFECYCLE.actions(row.status, policy.role_of(viewer, row)),
    }
    return with_distance(body, row)


def _on_view(query: dict[str, Any]) -> JsonObject:
    return _prepared({"status": OfferingStatus.ACTIVE, **query})


def _prepared(query: dict[str, Any]) -> JsonObject:
    prices = rank_bounds("price", query.pop("min_price", None), query.pop("max_price", None))
    categories = tree().filter(query.pop("category", None))
    return {**query, **categories, **prices}


ON_VIEW = PublicList(
    BROWSE,
    on_view=_on_view,
    facets_by=("category", "price_type"),
    amount=OFFERINGS.c.price_minor,
    owner=OFFERINGS.c.creator_id,
    posted=(OFFERINGS.c.status == OfferingStatus.ACTIVE,),
)
best, latest, facets, newly_posted = ON_VIEW.best, ON_VIEW.latest, ON_VIEW.facets, ON_VIEW.newly_posted
