"""Reports, for staff."""

from typing import Any

from sqlalchemy import Table, select

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.auth.queries import name_in, person_columns
from marketplace.core.database.db import fetch, locked, one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.reports import policy
from marketplace.reports.models import Report

REPORTS: Table = table_of(Report)
USERS: Table = table_of(User)
REPORTER, REPORTED = USERS.alias("reporter"), USERS.alias("reported")
SHOWN = ("id", "type", "target_id", "reason", "description", "status", "action", "note", "resolved_by_id")
MOMENTS = ("resolved_at", "created_at", "updated_at")
ALL = "all"

QUEUE = ListQuery(
    name="reports",
    table=REPORTS,
    columns=[*REPORTS.c, *person_columns(REPORTER, "reporter"), *person_columns(REPORTED, "reported")],
    joined=REPORTS.join(REPORTER, REPORTER.c.id == REPORTS.c.reporter_id).join(
        REPORTED, REPORTED.c.id == REPORTS.c.reported_id
    ),
    filters=equal_to(REPORTS.c, "id", "status", "type", "reported_id"),
    sorts={"created_at": REPORTS.c.created_at},
    default_sort="-created_at",
)


def browse(*, status: str | None = None, **query: Any) -> Page:
    """Reports in one state or all, the newest first."""
    return QUEUE.page({**query, "status": None if status == ALL else status}, view).called("reports")


def detail(report_id: int) -> JsonObject:
    """One report; raises NotFound."""
    items = QUEUE.page({"id": report_id}, view).items
    if not items:
        raise NotFound.of("report")
    return items[0]


def to_resolve(report_id: int) -> Report:
    """One report, locked until the commit; raises NotFound."""
    return one(locked(select(Report).where(Report.id == report_id)), "report")


def note_of(report_id: int) -> str:
    """What staff said about it; empty where they said nothing."""
    rows = fetch(select(REPORTS.c.note).where(REPORTS.c.id == report_id))
    return rows[0].note if rows else ""


def owner_of(viewer: User, kind: str, target_id: int) -> int:
    """Whose a visible thing is; raises NotFound."""
    if kind == policy.USER:
        return auth_queries.find(viewer, target_id).id
    subject = policy.removable()[kind]
    found = subject.by_ids(viewer, [target_id])
    if target_id not in found:
        raise NotFound.of(kind)
    return int(found[target_id][subject.owner])


def view(row: Any) -> JsonObject:
    """A report as staff see it."""
    sides: JsonObject = {}
    for side, user_id in (("reporter", row.reporter_id), ("reported", row.reported_id)):
        sides |= {f"{side}_id": user_id, f"{side}_name": name_in(row, side)}
        sides |= {f"{side}_username": getattr(row, f"{side}_username")}
    return {**{name: getattr(row, name) for name in (*SHOWN, *MOMENTS)}, **sides}
