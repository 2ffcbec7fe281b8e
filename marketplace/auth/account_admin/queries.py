"""Accounts, the audit log and security signals, for staff."""

import re
from typing import Any

from sqlalchemy import bindparam, or_

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.core.database.db import one
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.core.ops.audit_log import AuditRow
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.kit.normalization import email_address

ESCAPE = "\\"
PEOPLE, LOG, SIGNALS = table_of(User).c, table_of(AuditRow).c, table_of(Signal).c
SHOWN = (
    *("id", "username", "email", "phone", "first_name", "last_name", "role", "is_active", "is_verified"),
    *(
        "email_verified",
        "phone_verified",
        "suspended_at",
        "suspension_reason",
        "erased_at",
        "last_active_at",
        "created_at",
    ),
    *("avatar_url", "completed_tasks", "average_rating"),
)
STATES = {
    "active": PEOPLE.is_active,
    "suspended": PEOPLE.suspended_at.is_not(None),
    "erased": PEOPLE.erased_at.is_not(None),
}


ACCOUNTS = ListQuery(
    name="users",
    table=table_of(User),
    columns=[PEOPLE[name] for name in SHOWN],
    filters={
        "q": or_(*(column.like(bindparam("q"), escape=ESCAPE) for column in (PEOPLE.username_key, PEOPLE.email))),
        "role": PEOPLE.role == bindparam("role"),
        **STATES,
    },
    sorts={"created_at": PEOPLE.created_at},
    default_sort="-created_at",
)
AUDIT_LOG = ListQuery(
    name="audit_log",
    table=table_of(AuditRow),
    columns=list(LOG),
    filters={
        **equal_to(LOG, "action", "actor_id", "subject_type", "subject_id", "address", "request_id"),
        "since": LOG.created_at >= bindparam("since", type_=LOG.created_at.type),
        "until": LOG.created_at < bindparam("until", type_=LOG.created_at.type),
    },
    sorts={"created_at": LOG.created_at},
    default_sort="-created_at",
)
SECURITY = ListQuery(
    name="signals",
    table=table_of(Signal),
    columns=list(SIGNALS),
    filters={
        **equal_to(SIGNALS, "kind", "user_id", "address", "verdict"),
        "least_score": SIGNALS.score >= bindparam("least_score"),
    },
    sorts={"created_at": SIGNALS.created_at},
    default_sort="-created_at",
)


def browse(*, state: str | None = None, q: str | None = None, **query: Any) -> Page:
    """Accounts, the newest first; `q` is the beginning of a username or an e-mail."""
    beginning = re.sub(r"([\\%_])", r"\\\1", email_address(q)) + "%" if q else None
    asked = {**query, "q": beginning, **({state: True} if state else {})}
    return ACCOUNTS.page(asked, view)


def row_view(row: Any) -> JsonObject:
    """Only the columns the list selected, as JSON values."""
    return {name: value for name, value in row._mapping.items() if not name.startswith("key_") and name != "matched"}


def show(user_id: int) -> JsonObject:
    """One account; raises NotFound."""
    return view(find(user_id))


def view(user: Any) -> JsonObject:
    """All that staff may see of an account, state included; `user` is the person or their row in the list."""
    seen = {name: getattr(user, name) for name in SHOWN if name != "average_rating"}
    return {**seen, "is_banned": user.suspended_at is not None, "rating": round(user.average_rating, 2)}


def find(user_id: int) -> User:
    """One account in any state, suspended and erased ones too; raises NotFound."""
    return one(auth_queries.everybody().where(User.id == user_id), "person")
