"""Lists of reviews, and figures made of them."""

from typing import Any

from sqlalchemy import Boolean, Table, bindparam, func, select

from marketplace.auth.models import User
from marketplace.auth.queries import name_in, person_columns
from marketplace.core.database.db import db, fetch, locked, one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.deals.models import Deal, task_of, task_reference
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.reviews.models import CLIENT, CLIENT_TO_WORKER, WORKER, WORKER_TO_CLIENT, Review

REVIEWS: Table = Review.metadata.tables["reviews"]
DEALS: Table = Deal.metadata.tables["deals"]
USERS: Table = User.metadata.tables["users"]
REVIEWER, REVIEWED = USERS.alias("reviewer"), USERS.alias("reviewed")
PEOPLE = [
    *person_columns(REVIEWER, "reviewer", "avatar_url", "profile_picture_url"),
    *person_columns(REVIEWED, "reviewed", "avatar_url", "profile_picture_url"),
]

REVIEWS_LIST = ListQuery(
    name="reviews",
    table=REVIEWS,
    columns=[*REVIEWS.c, DEALS.c.reference, *PEOPLE],
    joined=REVIEWS.join(REVIEWER, REVIEWER.c.id == REVIEWS.c.reviewer_id)
    .join(REVIEWED, REVIEWED.c.id == REVIEWS.c.reviewed_user_id)
    .join(DEALS, DEALS.c.id == REVIEWS.c.deal_id),
    filters={
        **equal_to(REVIEWS.c, "id", "reviewer_id", "reviewed_user_id"),
        "reference": REVIEWS.c.deal_id.in_(select(DEALS.c.id).where(DEALS.c.reference == bindparam("reference"))),
        "rating": REVIEWS.c.rating == bindparam("rating"),
        "rating_max": REVIEWS.c.rating <= bindparam("rating_max"),
        "reviewed_as": REVIEWS.c.reviewed_as == bindparam("reviewed_as"),
        "has_reply": REVIEWS.c.replied_at.is_not(None) == bindparam("has_reply", type_=Boolean()),
        "rating_min": REVIEWS.c.rating >= bindparam("rating_min"),
        "nothing": REVIEWS.c.id == bindparam("nothing"),
    },
    sorts={"created_at": REVIEWS.c.created_at, "rating": REVIEWS.c.rating},
    default_sort="-created_at",
)


def browse(
    *, listing_id: int | None = None, task_id: int | None = None, review_type: str | None = None, **query: Any
) -> Page:
    """Reviews, newest first; none for a `listing_id`, as listings have no deals yet."""
    if review_type is not None:
        query["reviewed_as"] = WORKER if review_type == CLIENT_TO_WORKER else CLIENT
    if task_id is not None:
        query["reference"] = task_reference(task_id)
    return REVIEWS_LIST.page({**query, "nothing": 0 if listing_id is not None else None}, view)


def detail(review_id: int) -> JsonObject:
    """One review; raises NotFound."""
    items = REVIEWS_LIST.page({"id": review_id}, view).items
    if not items:
        raise NotFound.of("review")
    return items[0]


def find_locked(review_id: int) -> Review:
    """One review, locked until the commit; raises NotFound."""
    return one(locked(select(Review).where(Review.id == review_id)), "review")


def mine_about(user: User, deal_id: int) -> int | None:
    """Id of one's own review of a deal; None where there is none."""
    mine = select(Review.id).where(Review.deal_id == deal_id, Review.reviewer_id == user.id)
    return db.session.scalar(mine)


def stats(user_id: int) -> JsonObject:
    """Counts and averages by stars and by the reviewed person's role."""
    grouped = select(Review.reviewed_as, Review.rating, func.count()).where(Review.reviewed_user_id == user_id)
    rows = [tuple(row) for row in fetch(grouped.group_by(Review.reviewed_as, Review.rating))]
    total = _figures(rows)
    stars = {str(star): sum(count for _, rating, count in rows if rating == star) for star in range(1, 6)}
    return {
        "user_id": user_id,
        "total_reviews": total["count"],
        "average_rating": total["average"],
        "rating_breakdown": stars,
        "as_worker": _figures([row for row in rows if row[0] == WORKER]),
        "as_client": _figures([row for row in rows if row[0] == CLIENT]),
    }


def view(row: Any) -> JsonObject:
    """A review as the contract names its fields."""
    return {
        "id": row.id,
        "reviewer_id": row.reviewer_id,
        "reviewer_name": name_in(row, "reviewer"),
        "reviewer_avatar": row.reviewer_avatar_url,
        "reviewer": _person(row, "reviewer", row.reviewer_id),
        "reviewed_user_id": row.reviewed_user_id,
        "reviewed_user_name": name_in(row, "reviewed"),
        "reviewed_user": _person(row, "reviewed", row.reviewed_user_id),
        "deal": row.reference,
        "task_id": task_of(row.reference),
        "listing_id": None,
        "review_type": CLIENT_TO_WORKER if row.reviewed_as == WORKER else WORKER_TO_CLIENT,
        "rating": row.rating,
        "content": row.content,
        "comment": row.content,
        "reply": row.reply or None,
        "replied_at": row.replied_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _person(row: Any, prefix: str, user_id: int) -> JsonObject:
    """Somebody, in the few fields that stand inside a review; the avatar where there is no other picture."""
    avatar, picture = getattr(row, f"{prefix}_avatar_url"), getattr(row, f"{prefix}_profile_picture_url")
    return {
        "id": user_id,
        "username": getattr(row, f"{prefix}_username"),
        "first_name": getattr(row, f"{prefix}_first_name"),
        "last_name": getattr(row, f"{prefix}_last_name"),
        "avatar_url": avatar,
        "profile_picture_url": picture or avatar,
    }


def _figures(rows: list[tuple[Any, ...]]) -> JsonObject:
    count = sum(n for _, _, n in rows)
    stars = sum(rating * n for _, rating, n in rows)
    return {"count": count, "average": round(stars / count, 2) if count else 0.0}
