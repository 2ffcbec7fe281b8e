"""Lists of one's notifications."""

from typing import Any

from sqlalchemy import Table, bindparam, func, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.notifications.models import Notification

NEWS: Table = table_of(Notification)
VISIBLE = NEWS.c.is_silent.is_(False)

NEWS_LIST = ListQuery(
    name="notifications",
    table=NEWS,
    columns=list(NEWS.c),
    filters={
        "user_id": (NEWS.c.user_id == bindparam("user_id")) & VISIBLE,
        "unread": NEWS.c.read_at.is_(None),
        "type": NEWS.c.type == bindparam("type"),
    },
    sorts={"created_at": NEWS.c.created_at},
    default_sort="-created_at",
)


def of(user: User, *, unread: bool | None = None, **query: Any) -> Page:
    """One's notifications, newest first, with the number of unread ones."""
    asked = {**query, "user_id": user.id, "unread": True if unread else None}
    return NEWS_LIST.page(asked, view, extra={"unread_count": unread_count(user)})


def unread_count(user: User) -> int:
    """Number of one's unread notifications."""
    waiting = (NEWS.c.user_id == user.id, NEWS.c.read_at.is_(None), VISIBLE)
    return int(fetch(select(func.count()).select_from(NEWS).where(*waiting))[0][0])


def view(row: Any) -> JsonObject:
    """A notification as JSON."""
    return {
        "id": row.id,
        "user_id": row.user_id,
        "type": row.type,
        "title": row.title,
        "message": row.message,
        "data": row.data,
        "related_type": row.related_type,
        "related_id": row.related_id,
        "is_read": row.read_at is not None,
        "read_at": row.read_at,
        "created_at": row.created_at,
    }
