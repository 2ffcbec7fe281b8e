"""One's favorites to read."""

from collections import Counter
from typing import Any

from sqlalchemy import Table, and_, bindparam, func, or_, select

from marketplace.auth.models import User
from marketplace.core.database.db import counted, fetch, one
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.favorites.models import Favorite
from marketplace.favorites.policy import markable
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject

FAVORITES: Table = Favorite.metadata.tables["favorites"]

FAVORITES_LIST = ListQuery(
    name="favorites",
    table=FAVORITES,
    columns=list(FAVORITES.c),
    filters={
        "user_id": FAVORITES.c.user_id == bindparam("user_id"),
        "type": FAVORITES.c.item_type == bindparam("type"),
    },
    sorts={"created_at": FAVORITES.c.created_at},
    default_sort="-created_at",
)


def of(user: User, **query: Any) -> Page:
    """One's favorites, each with its thing; None for a thing that one can no longer see."""
    page = FAVORITES_LIST.page({**query, "user_id": user.id}, view)
    for item_type, subject in markable().items():
        wanted = [item for item in page.items if item["item_type"] == item_type]
        seen = subject.by_ids(user, [item["item_id"] for item in wanted]) if wanted else {}
        for item in wanted:
            item["item"] = seen.get(item["item_id"])
    return page


def view(row: Any) -> JsonObject:
    """A favorite; `id` is the same as `favorite_id`."""
    return {
        "id": row.id,
        "favorite_id": row.id,
        "favorited_at": row.created_at,
        "item_type": row.item_type,
        "item_id": row.item_id,
    }


def check(user: User, items: list[tuple[str, int]]) -> dict[str, bool]:
    """Whether one has marked each of these, by `kind:id`."""
    if not items:
        return {}
    one_of = or_(*(and_(FAVORITES.c.item_type == kind, FAVORITES.c.item_id == item_id) for kind, item_id in items))
    marked = {
        (row.item_type, row.item_id)
        for row in fetch(
            select(FAVORITES.c.item_type, FAVORITES.c.item_id).where(FAVORITES.c.user_id == user.id, one_of)
        )
    }
    return {f"{kind}:{item_id}": (kind, item_id) in marked for kind, item_id in items}


def counts(user: User) -> dict[str, int]:
    """Number of one's favorites by kind."""
    grouped = select(FAVORITES.c.item_type, func.count()).where(FAVORITES.c.user_id == user.id)
    found = Counter(counted(grouped.group_by(FAVORITES.c.item_type)))
    return {"total": found.total(), **{f"{kind}s": found[kind] for kind in markable()}}


def require_visible(user: User, item_type: str, item_id: int) -> None:
    """Raises NotFound for a thing this person cannot see."""
    if item_id not in markable()[item_type].by_ids(user, [item_id]):
        raise NotFound.of(item_type)


def find(user: User, favorite_id: int) -> Favorite:
    """One's own; raises NotFound."""
    mine = select(Favorite).where(Favorite.user_id == user.id, Favorite.id == favorite_id)
    return one(mine, "favorite")
