"""Figures of the whole marketplace, accounts with what they have on offer, and everybody's subscriptions."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, select

from marketplace.auth.account_admin import queries as account_admin_queries
from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.ops import current_settings
from marketplace.core.queues.work_queue import table_of
from marketplace.disputes import queries as disputes_queries
from marketplace.disputes.lifecycle import GOING_ON
from marketplace.disputes.models import Dispute
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.offerings.lifecycle import OfferingStatus
from marketplace.offerings.models import Offering
from marketplace.payments import service as payments_service
from marketplace.payments.subscriptions.models import Subscription
from marketplace.tasks.lifecycle import TaskStatus
from marketplace.tasks.models import Task

USERS, TASKS, OFFERINGS, DISPUTES = table_of(User), table_of(Task), table_of(Offering), table_of(Dispute)
SUBSCRIPTIONS: Table = table_of(Subscription)
WEEK = timedelta(days=7)
DAYS_OF = {"7d": 7, "30d": 30, "90d": 90}
ACTIVE = (TaskStatus.OPEN, TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS, TaskStatus.PENDING_CONFIRMATION)
PEOPLE = (USERS.c.erased_at.is_(None),)
POSTED = (TASKS.c.status != TaskStatus.DELETED,)
OFFERED = (OFFERINGS.c.status != OfferingStatus.DELETED,)
SERIES: dict[str, tuple[ColumnElement[Any], tuple[ColumnElement[bool], ...]]] = {
    "users": (USERS.c.created_at, PEOPLE),
    "tasks": (TASKS.c.created_at, POSTED),
    "completed_tasks": (TASKS.c.completed_at, (TASKS.c.status == TaskStatus.COMPLETED,)),
    "offerings": (OFFERINGS.c.created_at, OFFERED),
    "disputes": (DISPUTES.c.created_at, ()),
}
SUBSCRIPTIONS_LIST = ListQuery(
    name="subscriptions",
    table=SUBSCRIPTIONS,
    columns=[
        *(column for column in SUBSCRIPTIONS.c if column.name not in {"client_secret", "next_url"}),
        USERS.c.username,
    ],
    joined=SUBSCRIPTIONS.join(USERS, USERS.c.id == SUBSCRIPTIONS.c.user_id),
    filters={"status": SUBSCRIPTIONS.c.status == bindparam("status")},
    sorts={"created_at": SUBSCRIPTIONS.c.created_at},
    default_sort="-created_at",
)


def stats() -> dict[str, int]:
    """How many there are of everything, in one statement."""
    counts = {
        "total_users": _count(USERS, *PEOPLE),
        "new_users_week": _count(USERS, *PEOPLE, USERS.c.created_at > now() - WEEK),
        "total_tasks": _count(TASKS, *POSTED),
        "active_tasks": _count(TASKS, TASKS.c.status.in_(ACTIVE)),
        "completed_tasks": _count(TASKS, TASKS.c.status == TaskStatus.COMPLETED),
        "disputed_tasks": _count(TASKS, TASKS.c.status == TaskStatus.DISPUTED),
        "total_offerings": _count(OFFERINGS, *OFFERED),
        "total_disputes": _count(DISPUTES),
        "open_disputes": _count(DISPUTES, DISPUTES.c.status.in_(GOING_ON)),
    }
    row = fetch(select(*(count.scalar_subquery() for count in counts.values())))[0]
    return dict(zip(counts, row, strict=True))


def analytics(span: str) -> JsonObject:
    """What was new on each of the last days (UTC, today too), and the sums of it."""
    today = now().date()
    days = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS_OF[span]))]
    since = datetime.fromisoformat(f"{days[0]}T00:00:00+00:00")
    series = {name: _by_day(moment, since, *conditions) for name, (moment, conditions) in SERIES.items()}
    return {
        "range": span,
        "metrics": {name: sum(counts.values()) for name, counts in series.items()},
        "series": {
            name: [{"label": day, "value": counts.get(day, 0)} for day in days] for name, counts in series.items()
        },
    }


def accounts(**query: Any) -> Page:
    """Accounts, the newest first, with how many tasks and offerings each has."""
    page = account_admin_queries.browse(**query)
    ids = [item["id"] for item in page.items]
    jobs, offerings = _owned(TASKS, ids, *POSTED), _owned(OFFERINGS, ids, *OFFERED)
    for item in page.items:
        item.update(jobs_count=jobs.get(item["id"], 0), offerings_count=offerings.get(item["id"], 0))
    return page.called("users")


def subscriptions(**query: Any) -> Page:
    """Everybody's subscriptions, the newest first."""
    return SUBSCRIPTIONS_LIST.page(query, _subscription).called("subscriptions")


def settings() -> JsonObject:
    """What the marketplace was started with, as far as its staff need to know."""
    standard = payments_service.fee_rules().standard
    return {
        "site_name": current_settings.text("SITE_NAME"),
        "support_email": disputes_queries.support_email(),
        "payment_providers": current_settings.words("PAYMENT_PROVIDERS"),
        "platform_fee_percent": float(standard.percent),
        "listing_days": current_settings.whole("LISTING_DAYS"),
        "dispute_response_days": current_settings.whole("DISPUTE_RESPONSE_DAYS"),
        "dispute_appeal_days": current_settings.whole("DISPUTE_APPEAL_DAYS"),
    }


def compare(wanted: JsonObject) -> JsonObject:
    """The settings, if what a client sent changes none; raises Invalid (422), as they are set where it is run."""
    present = settings()
    changed = [name for name, value in wanted.items() if name in present and value != present[name]]
    if changed:
        sentence = "This is set where the marketplace is run (docs/settings.md) and counts from its next start."
        raise Invalid(sentence, errors={name: [sentence] for name in changed})
    return present


def _count(table: Table, *conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(*conditions)


def _by_day(moment: ColumnElement[Any], since: datetime, *conditions: ColumnElement[bool]) -> dict[str, int]:
    """Counts by day of UTC."""
    utc = moment if db.engine.dialect.name == "sqlite" else func.timezone("UTC", moment)
    day = func.date(utc)
    counted = select(day.label("day"), func.count().label("count")).where(moment >= since, *conditions)
    return {str(row.day): int(row._mapping["count"]) for row in fetch(counted.group_by(day))}


def _owned(table: Table, ids: list[int], *conditions: ColumnElement[bool]) -> dict[int, int]:
    owner = table.c.creator_id
    counted = select(owner, func.count().label("count")).where(owner.in_(ids), *conditions).group_by(owner)
    return {row.creator_id: int(row._mapping["count"]) for row in fetch(counted)} if ids else {}


def _subscription(row: Any) -> JsonObject:
    names = ("id", "user_id", "username", "status", "provider", "currency", "amount_minor", "period_start")
    more = ("period_end", "cancel_at_period_end", "created_at", "ended_at")
    return {
        **{name: getattr(row, name) for name in (*names, *more)},
        "plan": row.plan_key,
        "amount": to_major(row.amount_minor, row.currency),
    }
