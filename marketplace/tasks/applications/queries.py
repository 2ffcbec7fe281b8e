"""Lists of applications, and one in full."""

from typing import Any

from sqlalchemy import Row, Table, select

from marketplace.auth.models import User
from marketplace.auth.queries import name_in, person_columns
from marketplace.core.database.db import db
from marketplace.core.lists.list_query import ListQuery, equal_to
from marketplace.core.lists.pagination import Page
from marketplace.kit.errors import NotAllowed, NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.tasks import policy
from marketplace.tasks import queries as tasks_queries
from marketplace.tasks.lifecycle import APPLICATION_LIFECYCLE, ApplicationStatus, TaskStatus
from marketplace.tasks.models import Application, Task, price_of

APPLICATIONS: Table = Task.metadata.tables["applications"]
TASKS: Table = Task.metadata.tables["tasks"]
USERS: Table = User.metadata.tables["users"]
SHOWN = ("avatar_url", "average_rating", "reviews_count", "completed_tasks", "created_at", "bio", "city")

APPLICATIONS_LIST = ListQuery(
    name="applications",
    table=APPLICATIONS,
    columns=[
        *APPLICATIONS.c,
        TASKS.c.creator_id,
        TASKS.c.status.label("task_status"),
        TASKS.c.budget_minor.label("task_budget_minor"),
        *person_columns(USERS, "applicant", *SHOWN),
    ],
    joined=APPLICATIONS.join(USERS, USERS.c.id == APPLICATIONS.c.applicant_id).join(
        TASKS, TASKS.c.id == APPLICATIONS.c.task_id
    ),
    filters={
        **equal_to(APPLICATIONS.c, "id", "task_id", "applicant_id", "status"),
    },
    sorts={"created_at": APPLICATIONS.c.created_at},
    default_sort="-created_at",
)


def waiting_of(applicant_id: int) -> list[Row[Application, Task]]:
    """A person's pending applications, each with its task."""
    mine = select(Application, Task).join(Task, Task.id == Application.task_id)
    waiting = mine.where(Application.applicant_id == applicant_id, Application.status == ApplicationStatus.PENDING)
    return list(db.session.execute(waiting.order_by(Application.id)))


def for_task(user: User, task_id: int, **query: Any) -> Page:
    """Applications for a task, for its owner. Raises NotFound, NotAllowed (403)."""
    task = tasks_queries.find(user, task_id)
    if "owner" not in policy.role_of(user, task):
        raise NotAllowed("Only the owner of this task sees its applications.")
    return APPLICATIONS_LIST.page({**query, "task_id": task_id}, lambda row: view(user, row))


def by(user: User, **query: Any) -> Page:
    """One's own applications, each with its task."""
    page = APPLICATIONS_LIST.page({**query, "applicant_id": user.id}, lambda row: view(user, row))
    tasks = tasks_queries.by_ids(user, [item["task_id"] for item in page.items])
    for item in page.items:
        item["task"] = tasks.get(item["task_id"])
    return page


def find(user: User, application_id: int, task_id: int | None = None) -> tuple[Application, Task]:
    """One visible application with its task; raises NotFound."""
    wanted = policy.applications_visible_to(user).where(Application.id == application_id)
    if task_id is not None:
        wanted = wanted.where(Application.task_id == task_id)
    found = db.session.execute(wanted).first()
    if found is None:
        raise NotFound.of("application")
    return found[0], found[1]


def detail(user: User, application_id: int) -> JsonObject:
    """One visible application as JSON; raises NotFound."""
    return APPLICATIONS_LIST.page({"id": application_id}, lambda row: view(user, row)).items[0]


def _actions(row: Any, roles: frozenset[str]) -> list[str]:
    """What the table allows; only withdrawing once the task is not open any more."""
    possible = APPLICATION_LIFECYCLE.actions(row.status, roles)
    return [verb for verb in possible if row.task_status == TaskStatus.OPEN or verb == "withdraw"]


def view(user: User, row: Any) -> JsonObject:
    """An application as JSON, with the applicant's profile as the owner sees it."""
    price, amount = row.proposed_price_minor, price_of(row, row.task_budget_minor)
    roles = policy.application_role_of(user, row, row.creator_id)
    return {
        "id": row.id,
        "task_id": row.task_id,
        "applicant_id": row.applicant_id,
        "applicant_name": name_in(row, "applicant"),
        "applicant_avatar": row.applicant_avatar_url,
        "applicant_rating": round(row.applicant_average_rating, 2),
        "applicant_review_count": row.applicant_reviews_count,
        "applicant_completed_tasks": row.applicant_completed_tasks,
        "applicant_member_since": row.applicant_created_at,
        "applicant_bio": row.applicant_bio,
        "applicant_city": row.applicant_city,
        "message": row.message,
        "proposed_price": None if price is None else to_major(price, row.currency),
        "price_minor": price,
        "amount": None if amount is None else to_major(amount, row.currency),
        "amount_minor": amount,
        "currency": row.currency,
        "status": row.status,
        "created_at": row.created_at,
        "available_actions": _actions(row, roles),
    }
