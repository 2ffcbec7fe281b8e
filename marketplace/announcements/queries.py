"""Announcements, to be read."""

from typing import Any

from sqlalchemy import Table, bindparam, or_, select

from marketplace.announcements import policy
from marketplace.announcements.models import Announcement
from marketplace.auth.models import User
from marketplace.core.database.db import UTCDateTime, fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject

ANNOUNCEMENTS: Table = table_of(Announcement)
_moment = bindparam("moment", type_=UTCDateTime())
_in_force = (ANNOUNCEMENTS.c.starts_at <= _moment) & or_(
    ANNOUNCEMENTS.c.ends_at.is_(None), ANNOUNCEMENTS.c.ends_at > _moment
)
LISTED = ListQuery(
    name="announcements",
    table=ANNOUNCEMENTS,
    columns=list(ANNOUNCEMENTS.c),
    filters={
        "moment": _in_force,
        "targets": ANNOUNCEMENTS.c.target.in_(bindparam("targets", expanding=True)),
        "type": ANNOUNCEMENTS.c.type == bindparam("type"),
        "target": ANNOUNCEMENTS.c.target == bindparam("target"),
    },
    sorts={"created_at": ANNOUNCEMENTS.c.created_at, "starts_at": ANNOUNCEMENTS.c.starts_at},
    default_sort="-starts_at",
)


def in_force(viewer: User | None, **query: Any) -> Page:
    """Those that are in force for somebody now, the latest first."""
    return LISTED.page({**query, "moment": now(), "targets": list(policy.targets_of(viewer))}, view)


def browse(**query: Any) -> Page:
    """All of them, for staff."""
    return LISTED.page(query, told_view)


def view(row: Any) -> JsonObject:
    """An announcement as people see it."""
    names = ("id", "title", "message", "type", "target", "starts_at", "ends_at", "created_at")
    return {name: getattr(row, name) for name in names}


def told_view(row: Any) -> JsonObject:
    """As staff see it: also whether everybody was notified."""
    return {**view(row), "by_id": row.by_id, "told_at": row.told_at}


def untold() -> list[int]:
    """Ids of those in force of which somebody is still to be notified."""
    waiting = select(ANNOUNCEMENTS.c.id).where(_in_force, ANNOUNCEMENTS.c.told_at.is_(None))
    return [row.id for row in fetch(waiting.order_by(ANNOUNCEMENTS.c.id), {"moment": now()})]


def audience(target: str, after: int, most: int) -> list[int]:
    """Ids of active people of a target above `after`, by id."""
    theirs = select(User.id).where(policy.AUDIENCES[target], User.is_active, User.id > after)
    return [row.id for row in fetch(theirs.order_by(User.id).limit(most))]
