"""`available_actions` of tasks, narrowed by applications and money.

Apart from the rooms: rules over a page of tasks that ask applications and payments, which policy.py must not know.
"""

from typing import Any

from sqlalchemy import func, select

from marketplace.auth.models import User
from marketplace.core.database.db import counted, fetch
from marketplace.core.queues.work_queue import table_of
from marketplace.deals.models import task_reference
from marketplace.kit.json_types import JsonObject
from marketplace.payments import queries as payments_queries
from marketplace.tasks.lifecycle import ApplicationStatus
from marketplace.tasks.models import Application

APPLICATIONS = table_of(Application)
SUMMARY = ("id", "status", "message", "created_at")
NEED_MONEY = frozenset({"start", "finish", "hand_over"})


def narrow(viewer: User, tasks: list[dict[str, Any]]) -> None:
    """Take out of `available_actions` what applications or payments forbid now; own tasks get the number of
    applications that wait, others whether and how one applied. At most three statements for a page."""
    _count_applications([task for task in tasks if task["creator_id"] == viewer.id])
    applied = _own_applications(viewer, [task["id"] for task in tasks if task["creator_id"] != viewer.id])
    for task in tasks:
        task["user_application"] = applied.get(task["id"])
        task["has_applied"] = task["id"] in applied and applied[task["id"]]["status"] != ApplicationStatus.WITHDRAWN
        if task["has_applied"]:
            _remove(task, {"apply"})
    _ask_for_money([task for task in tasks if _waits_for_money(task)])


def pending_counts(ids: list[int]) -> dict[int, int]:
    """Number of pending applications by task id."""
    columns = APPLICATIONS.c
    grouped = select(columns.task_id, func.count()).where(
        columns.task_id.in_(ids), columns.status == ApplicationStatus.PENDING
    )
    return counted(grouped.group_by(columns.task_id)) if ids else {}


def _count_applications(own: list[dict[str, Any]]) -> None:
    waiting = pending_counts([task["id"] for task in own])
    for task in own:
        task["pending_applications_count"] = waiting.get(task["id"], 0)
        if not task["pending_applications_count"]:
            _remove(task, {"assign"})


def _own_applications(viewer: User, ids: list[int]) -> dict[int, JsonObject]:
    """The viewer's applications for these tasks, as they are shown beside them, by task id."""
    columns = APPLICATIONS.c
    chosen = select(columns.task_id, *(columns[name] for name in SUMMARY))
    mine = chosen.where(columns.task_id.in_(ids), columns.applicant_id == viewer.id)
    return {row.task_id: {name: getattr(row, name) for name in SUMMARY} for row in fetch(mine)} if ids else {}


def _waits_for_money(task: dict[str, Any]) -> bool:
    has_price = bool(task["agreed_price"] or task["budget"])
    return task["payment"] == "escrow" and has_price and bool(NEED_MONEY.intersection(task["available_actions"]))


def _ask_for_money(tasks: list[dict[str, Any]]) -> None:
    standings = payments_queries.standings_of([task_reference(task["id"]) for task in tasks]) if tasks else {}
    for task in tasks:
        if standings.get(task_reference(task["id"]), (None, None))[1] != "held":
            _remove(task, NEED_MONEY)


def _remove(task: dict[str, Any], verbs: set[str] | frozenset[str]) -> None:
    task["available_actions"] = [verb for verb in task["available_actions"] if verb not in verbs]
