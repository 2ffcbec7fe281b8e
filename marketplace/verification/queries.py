"""Submissions, for their owner and for staff."""

from typing import Any

from sqlalchemy import Table, select

from marketplace.auth.models import User
from marketplace.auth.queries import display_name
from marketplace.core.database.db import db, fetch, one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.uploads import queries as uploads_queries
from marketplace.verification.lifecycle import VerificationStatus
from marketplace.verification.models import Verification

VERIFICATIONS: Table = table_of(Verification)
USERS: Table = table_of(User)
SHOWN = ("id", "user_id", "document_type", "note", "status", "reason", "created_at", "decided_at")

QUEUE = ListQuery(
    name="verifications",
    table=VERIFICATIONS,
    columns=[*VERIFICATIONS.c, USERS.c.username, USERS.c.first_name, USERS.c.last_name],
    joined=VERIFICATIONS.join(USERS, USERS.c.id == VERIFICATIONS.c.user_id),
    filters={
        **equal_to(VERIFICATIONS.c, "status", "user_id"),
    },
    sorts={"created_at": VERIFICATIONS.c.created_at},
    default_sort="created_at",
)


def state_of(user: User) -> JsonObject:
    """The person's newest submission and its status (`none` without one)."""
    mine = select(VERIFICATIONS).where(VERIFICATIONS.c.user_id == user.id)
    rows = fetch(mine.order_by(VERIFICATIONS.c.id.desc()).limit(1))
    newest = view(rows[0]) if rows else None
    status = newest["status"] if newest else "none"
    if status == VerificationStatus.APPROVED and not user.is_verified:
        status = VerificationStatus.REVOKED  # by a new name
    return {"status": status, "is_verified": user.is_verified, "verification": newest}


def queue(**query: Any) -> Page:
    """Submissions in one state, oldest first, for staff."""
    return QUEUE.page(query, _with_name)


def find(verification_id: int) -> Verification:
    """A submission by id, for staff; raises NotFound."""
    return one(select(Verification).where(Verification.id == verification_id), "verification")


def waiting_of(user_id: int) -> Verification | None:
    """The person's pending submission; None without one."""
    return db.session.scalar(select(Verification).where(Verification.active_reference == user_id))


def approved_of(user_id: int) -> list[Verification]:
    """The person's approved submissions."""
    mine = select(Verification).where(
        Verification.user_id == user_id, Verification.status == VerificationStatus.APPROVED
    )
    return list(db.session.scalars(mine))


def reason_of(verification_id: int) -> str:
    """Why it was refused; empty where it was not."""
    rows = fetch(select(VERIFICATIONS.c.reason).where(VERIFICATIONS.c.id == verification_id))
    return rows[0].reason if rows else ""


def view(verification: Any) -> JsonObject:
    """A submission as its owner sees it."""
    return {**{name: getattr(verification, name) for name in SHOWN}, "files_count": len(verification.files)}


def with_files(verification: Verification) -> JsonObject:
    """A submission as staff see it, with URLs of its files signed for a quarter of an hour."""
    return {
        **view(verification),
        "files": [uploads_queries.view(row) for row in uploads_queries.by_stems(verification.files)],
    }


def _with_name(row: Any) -> JsonObject:
    name = display_name(row.username, row.first_name, row.last_name)
    return {**view(row), "username": row.username, "display_name": name}
