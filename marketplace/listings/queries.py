"""Lists of listings, one in full, and single columns of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, or_, select

from marketplace.auth.models import User
from marketplace.auth.policy import eyes_of, own_only
from marketplace.auth.queries import completion_rate
from marketplace.catalog.queries import category_filters, tree
from marketplace.core.database import counters
from marketplace.core.database.db import UTCDateTime, db, fetch, one
from marketplace.core.database.prices import rank_bounds
from marketplace.core.database.timers import Timer
from marketplace.core.lists.full_text import match_words, matches
from marketplace.core.lists.list_query import ListQuery, Ranked, equal_to
from marketplace.core.lists.near import with_distance
from marketplace.core.lists.pagination import Page
from marketplace.core.lists.public_list import PublicList
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.kit.text import contains, join_links, words
from marketplace.listings import policy
from marketplace.listings.lifecycle import LISTING_LIFECYCLE, ListingStatus
from marketplace.listings.models import Listing

LISTINGS: Table = Listing.metadata.tables["listings"]
REMIND_BEFORE = timedelta(days=3)
USERS: Table = User.metadata.tables["users"]
NOT_ANSWERED = {"version", "price_rank", "search_text", "location_key", "import_ref"}

BROWSE = ListQuery(
    name="listings",
    table=LISTINGS,
    columns=[*(c for c in LISTINGS.c if c.name not in NOT_ANSWERED), USERS.c.username.label("seller")],
    joined=LISTINGS.join(USERS, USERS.c.id == LISTINGS.c.seller_id),
    near=True,
    filters={
        "id": LISTINGS.c.id == bindparam("id"),
        "ids": LISTINGS.c.id.in_(bindparam("ids", expanding=True)),
        "seen_by": policy.seen_by(LISTINGS.c, bindparam("seen_by")),
        **category_filters(LISTINGS.c),
        "status": LISTINGS.c.status == bindparam("status"),
        "living": LISTINGS.c.status != bindparam("living"),
        "unexpired_at": or_(
            LISTINGS.c.expires_at.is_(None), LISTINGS.c.expires_at > bindparam("unexpired_at", type_=UTCDateTime())
        ),
        "price_from": LISTINGS.c.price_rank >= bindparam("price_from"),
        "price_to": LISTINGS.c.price_rank <= bindparam("price_to"),
        **equal_to(LISTINGS.c, "condition", "listing_type"),
        # The words are found by the index of the search; where they stand is looked at then.
        "place": lambda: matches("listings", "place"),
        "place_part": LISTINGS.c.location_key.like(bindparam("place_part"), escape="\\"),
        "featured": LISTINGS.c.is_featured,  # without a parameter, so that the index of the featured ones fits
        "seller_id": LISTINGS.c.seller_id == bindparam("seller_id"),
        "owner_id": LISTINGS.c.seller_id == bindparam("owner_id"),
        "q": lambda: matches("listings"),
    },
    sorts={
        "created_at": LISTINGS.c.created_at,
        "rating": USERS.c.average_rating,
        "price": LISTINGS.c.price_rank,
    },
    default_sort="-created_at",
    ranked=Ranked(title=[LISTINGS.c.title], owner=USERS),
)

SELLER = [
    USERS.c[name]
    for name in (
        "first_name",
        "last_name",
        "avatar_url",
        "city",
        "country",
        "is_verified",
        "average_rating",
        "reviews_count",
        "completed_tasks",
        "declined_tasks",
    )
]
EXPIRY = Timer(Listing, lambda: (Listing.expires_at <= now()) & _ends())
REMINDER = Timer(
    Listing,
    lambda: Listing.expires_at.between(now(), now() + REMIND_BEFORE) & Listing.reminded_at.is_(None) & _ends(),
)  # said once, some days before the end
DETAIL = replace(BROWSE, columns=[*BROWSE.columns, *SELLER, USERS.c.created_at.label("seller_since")], built={})


def browse(viewer: User | None, **query: Any) -> Page:
    """Listings everybody may see; asked for other states, one's own in those."""
    params = _prepared(query)
    if params["status"] not in policy.PUBLIC_STATES:
        params |= own_only(viewer)
    if params["status"] == ListingStatus.ACTIVE:
        params["unexpired_at"] = now()
    return BROWSE.page(params, lambda row: view(viewer, row))


def mine(user: User, **query: Any) -> Page:
    """One's own; the answer has `current_page` for clients that read that name."""
    params = {**query, "owner_id": user.id, "living": ListingStatus.DELETED}
    return BROWSE.page(params, lambda row: view(user, row), extra={"current_page": query.get("page", 1)})


def find(viewer: User | None, listing_id: int) -> Listing:
    """One visible listing to change; raises NotFound."""
    return one(policy.visible_to(viewer).where(Listing.id == listing_id), "listing")


def title_of(listing_id: int) -> str:
    """The title, whoever asks; empty where there is none."""
    rows = fetch(select(LISTINGS.c.title).where(LISTINGS.c.id == listing_id))
    return rows[0].title if rows else ""


def living_of(seller_id: int, *, on_list: bool) -> list[Listing]:
    """A seller's listings that are not deleted; with `on_list` only active and pending ones."""
    mine = select(Listing).where(Listing.seller_id == seller_id, Listing.status != ListingStatus.DELETED)
    shown = mine.where(Listing.status.in_((ListingStatus.ACTIVE, ListingStatus.PENDING))) if on_list else mine
    return list(db.session.scalars(shown.order_by(Listing.id)))


def talked_about(viewer: User | None) -> Select[int, str, int]:
    """What a conversation may be about: id, title and owner_id of those that the viewer sees."""
    owner = Listing.seller_id.label("owner_id")
    return policy.visible_to(viewer).with_only_columns(Listing.id, Listing.title, owner)


def detail(viewer: User | None, listing_id: int) -> JsonObject:
    """One visible listing with its seller; raises NotFound."""
    params = {"id": listing_id, "living": ListingStatus.DELETED, **eyes_of(viewer)}
    found = DETAIL.page(params, lambda row: {**view(viewer, row), "seller_info": seller_info(row)}).items
    if not found:
        raise NotFound.of("listing")
    found[0]["views_count"] += counters.pending("listings", "views_count", listing_id)
    return found[0]


def by_ids(viewer: User | None, ids: list[int]) -> dict[int, JsonObject]:
    """Those of these ids that the viewer may see, by id."""
    return BROWSE.by_ids(ids, {"living": ListingStatus.DELETED, **eyes_of(viewer)}, lambda row: view(viewer, row))


def view(viewer: User | None, row: Any) -> JsonObject:
    """A listing as the contract names its fields."""
    body = {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "category": row.category,
        "subcategory": row.subcategory,
        "condition": row.condition,
        "price": to_major(row.price_minor, row.currency),
        "price_minor": row.price_minor,
        "currency": row.currency,
        "location": row.location,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "seller_id": row.seller_id,
        "user_id": row.seller_id,
        "seller": row.seller,
        "image_urls": row.images,
        "images": join_links(row.images),
        "contact_info": row.contact_info,
        "tags": row.tags,
        "views_count": row.views_count,
        "listing_type": row.listing_type,
        "status": row.status,
        "is_featured": row.is_featured,
        "is_negotiable": row.is_negotiable,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "expires_at": row.expires_at,
        "available_actions": LISTING_LIFECYCLE.actions(row.status, policy.role_of(viewer, row)),
    }
    return with_distance(body, row)


def seller_info(row: Any) -> JsonObject:
    """The seller as a listing shows them."""
    return {
        "id": row.seller_id,
        "username": row.seller,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "avatar_url": row.avatar_url,
        "city": row.city,
        "country": row.country,
        "is_verified": row.is_verified,
        "average_rating": round(row.average_rating, 2),
        "reviews_count": row.reviews_count,
        "completion_rate": completion_rate(row),
        "created_at": row.seller_since,
    }


def _ends() -> ColumnElement[bool]:
    return Listing.status.in_((ListingStatus.ACTIVE, ListingStatus.PENDING))


def _on_view(query: dict[str, Any]) -> JsonObject:
    return {**_prepared({"status": ListingStatus.ACTIVE, **query}), "unexpired_at": now()}


def _prepared(query: dict[str, Any]) -> JsonObject:
    """Query parameters as the ListQuery takes them: minor units, its own names."""
    category, search = query.pop("category", None), query.pop("search", None)
    prices = rank_bounds("price", query.pop("min_price", None), query.pop("max_price", None))
    if where := query.pop("location", None):
        where = words(where)
        query |= {"place": match_words(where), "place_part": contains(" ".join(where))}
    featured = query.pop("featured", None) or None
    return {**query, **tree().filter(category), **prices, "featured": featured, "q": query.get("q") or search}


ON_VIEW = PublicList(
    BROWSE,
    on_view=_on_view,
    facets_by=("category", "condition", "listing_type"),
    amount=LISTINGS.c.price_minor,
    owner=LISTINGS.c.seller_id,
    posted=(LISTINGS.c.status == ListingStatus.ACTIVE,),
)
best, latest, facets, newly_posted = ON_VIEW.best, ON_VIEW.latest, ON_VIEW.facets, ON_VIEW.newly_posted
