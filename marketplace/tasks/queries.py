"""Lists of tasks, one in full, and single columns of them."""

from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Select, Table, bindparam, false, func, select

from marketplace.auth.models import User
from marketplace.auth.policy import eyes_of
from marketplace.auth.queries import name_in, person_columns
from marketplace.catalog.queries import category_filters, tree
from marketplace.core.database.db import db, fetch, first_as, locked, one
from marketplace.core.database.lifecycle import StateChange
from marketplace.core.database.prices import rank_bounds
from marketplace.core.database.timers import Timer
from marketplace.core.lists.full_text import matches
from marketplace.core.lists.list_query import ListQuery, Ranked
from marketplace.core.lists.near import with_distance
from marketplace.core.lists.pagination import Page
from marketplace.core.lists.public_list import PublicList
from marketplace.deals.models import task_reference
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.kit.text import join_links
from marketplace.payments import queries as payments_queries
from marketplace.tasks import actions, policy
from marketplace.tasks.lifecycle import CONFIRM_AFTER, TASK_LIFECYCLE, ApplicationStatus, TaskStatus
from marketplace.tasks.models import Application, Task

TASKS: Table = Task.metadata.tables["tasks"]
CONCERNED = frozenset({"owner", "worker", "provider", "moderator", "admin"})
GRACE = timedelta(days=1)  # a local time sent without its zone may look past when it is not
USERS: Table = User.metadata.tables["users"]
CREATOR, WORKER = USERS.alias("creator"), USERS.alias("worker")
NOT_ANSWERED = {"version", "budget_rank", "search_text", "import_ref", "done_note", "done_images"}
CREATORS = person_columns(CREATOR, "creator", "avatar_url", "city", "average_rating", "reviews_count")
NAMES = [*CREATORS, *person_columns(WORKER, "worker")]
JOINED = TASKS.join(CREATOR, CREATOR.c.id == TASKS.c.creator_id).outerjoin(
    WORKER, WORKER.c.id == TASKS.c.assigned_to_id
)
COLUMNS = [*(column for column in TASKS.c if column.name not in NOT_ANSWERED), *NAMES]

BROWSE = ListQuery(
    name="tasks",
    table=TASKS,
    columns=COLUMNS,
    joined=JOINED,
    near=True,
    filters={
        "ids": TASKS.c.id.in_(bindparam("ids", expanding=True)),
        "seen_by": policy.seen_by(TASKS.c, bindparam("seen_by")),
        **category_filters(TASKS.c),
        "status": TASKS.c.status == bindparam("status"),
        "living": TASKS.c.status != bindparam("living"),
        "on_board": TASKS.c.booked == false(),
        "urgent": TASKS.c.is_urgent == bindparam("urgent"),
        "budget_from": TASKS.c.budget_rank >= bindparam("budget_from"),
        "budget_to": TASKS.c.budget_rank.between(0, bindparam("budget_to")),
        "creator_id": TASKS.c.creator_id == bindparam("creator_id"),
        "worker_id": TASKS.c.assigned_to_id == bindparam("worker_id"),
        "q": lambda: matches("tasks"),
    },
    sorts={
        "created_at": TASKS.c.created_at,
        "rating": CREATOR.c.average_rating,
        "budget": TASKS.c.budget_rank,
    },
    default_sort="-created_at",
    ranked=Ranked(title=[TASKS.c.title], owner=CREATOR),
)

EXPIRY = Timer(Task, lambda: (Task.status == TaskStatus.OPEN) & (Task.deadline < now() - GRACE))


def browse(viewer: User | None, **query: Any) -> Page:
    """The public board."""
    return _page(viewer, {**_prepared(query), "on_board": True})


def assigned_to(user: User, **query: Any) -> Page:
    """Tasks and bookings one works on or has worked on."""
    return _page(user, {**_prepared(query), "worker_id": user.id})


def created_by(user: User, **query: Any) -> Page:
    """One's own tasks, each with its number of pending applications."""
    return _page(user, {**_prepared(query), "creator_id": user.id})


def everybodys(staff: User, *, status: str | None = None, **query: Any) -> Page:
    """Tasks and bookings of everybody, in one state or ("all") in any but deleted."""
    return _page(staff, _prepared({**query, "status": None if status == "all" else status}))


def find(viewer: User | None, task_id: int) -> Task:
    """One visible task to change; raises NotFound."""
    return one(policy.visible_to(viewer).where(Task.id == task_id), "task")


def living(task_id: int) -> Task:
    """A task that is not deleted, whoever asks, locked until the commit; raises NotFound."""
    return one(locked(select(Task).where(Task.id == task_id, Task.status != TaskStatus.DELETED)), "task")


def hold(viewer: User | None, task_id: int) -> Task:
    """One visible task, locked until the commit; raises NotFound. Who moves its money locks the task before the
    payment, so that no two deadlock and nobody pays for a deal that is being called off."""
    return one(locked(policy.visible_to(viewer).where(Task.id == task_id)), "task")


def title_of(task_id: int) -> tuple[str, int | None]:
    """(title, owner's id), whoever asks; empty and None where there is none."""
    rows = fetch(select(TASKS.c.title, TASKS.c.creator_id).where(TASKS.c.id == task_id))
    return (rows[0].title, rows[0].creator_id) if rows else ("", None)


def reason_of(task_id: int) -> str:
    """Why it was declined, disputed or cancelled last."""
    return str(fetch(select(Task.reason).where(Task.id == task_id))[0].reason)


def last_actor(task_id: int, *verbs: str) -> int | None:
    """Id of who last moved it by one of these verbs; None where it was the clock, or nobody."""
    step = (StateChange.thing == "task", StateChange.thing_id == task_id, StateChange.verb.in_(verbs))
    rows = fetch(select(StateChange.actor_id).where(*step).order_by(StateChange.id.desc()).limit(1))
    return rows[0].actor_id if rows else None


class PlaceRow(Protocol):
    """Position and category of a task."""

    creator_id: int
    category: str
    latitude: float | None
    longitude: float | None


def place_of(task_id: int) -> PlaceRow | None:
    """Position and category of an open task; None for others."""
    columns = (TASKS.c.creator_id, TASKS.c.category, TASKS.c.latitude, TASKS.c.longitude)
    return first_as(PlaceRow, select(*columns).where(TASKS.c.id == task_id, TASKS.c.status == TaskStatus.OPEN))


def open_of(creator_id: int) -> list[Task]:
    """A person's open tasks."""
    mine = select(Task).where(Task.creator_id == creator_id, Task.status == TaskStatus.OPEN)
    return list(db.session.scalars(mine.order_by(Task.id)))


def talked_about(viewer: User | None) -> Select[int, str, int]:
    """What a conversation may be about: id, title and owner_id of those that the viewer sees."""
    owner = Task.creator_id.label("owner_id")
    return policy.visible_to(viewer).with_only_columns(Task.id, Task.title, owner)


def detail(viewer: User | None, task_id: int) -> JsonObject:
    """One visible task; with `available_actions` and one's own application for who is signed in."""
    task = shown(viewer, task_id)
    return _with_involvement(viewer, task) if viewer else task


def shown(viewer: User | None, task_id: int) -> JsonObject:
    """One visible task as lists show it; raises NotFound."""
    tasks = by_ids(viewer, [task_id])
    if task_id not in tasks:
        raise NotFound.of("task")
    return tasks[task_id]


def by_ids(viewer: User | None, ids: list[int]) -> dict[int, JsonObject]:
    """Those of these ids that the viewer may see, by id."""
    found = BROWSE.by_ids(ids, {"living": TaskStatus.DELETED, **eyes_of(viewer)}, lambda row: view(viewer, row))
    if viewer is not None:
        actions.narrow(viewer, [*found.values()])
    return found


def attention(user: User) -> dict[str, int]:
    """Number of applications to decide, of tasks to confirm and to start."""
    on_mine = select(func.count()).select_from(Application).join(Task, Task.id == Application.task_id)
    on_mine = on_mine.where(
        Task.creator_id == user.id, Task.status == TaskStatus.OPEN, Application.status == ApplicationStatus.PENDING
    )
    to_confirm = select(func.count()).where(Task.creator_id == user.id, Task.status == TaskStatus.PENDING_CONFIRMATION)
    to_start = select(func.count()).where(Task.assigned_to_id == user.id, Task.status == TaskStatus.ASSIGNED)
    row = fetch(select(*(q.scalar_subquery() for q in (on_mine, to_confirm, to_start))))[0]
    names = ("pending_applications", "pending_confirmation", "accepted_applications")
    return {**dict(zip(names, row, strict=True)), "total": sum(row)}


def view(viewer: User | None, row: Any) -> JsonObject:
    """A task as the contract names its fields."""
    roles = policy.role_of(viewer, row)
    budget = None if row.budget_minor is None else to_major(row.budget_minor, row.currency)
    body = {
        "id": row.id,
        "title": row.title,
        "description": row.description,
        "category": row.category,
        "subcategory": row.subcategory,
        "budget": budget,
        "reward": budget,
        "budget_minor": row.budget_minor,
        "price_minor": row.budget_minor,
        "currency": row.currency,
        "location": row.location,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "creator_id": row.creator_id,
        "creator_name": name_in(row, "creator"),
        "creator_avatar": row.creator_avatar_url,
        "creator_city": row.creator_city,
        "creator_rating": round(row.creator_average_rating, 2),
        "creator_review_count": row.creator_reviews_count,
        "assigned_to_id": row.assigned_to_id,
        "assigned_to_name": None if row.worker_username is None else name_in(row, "worker"),
        "radius": row.radius,
        "required_skills": row.required_skills,
        "image_urls": row.images,
        "images": join_links(row.images),
        "priority": row.priority,
        "status": row.status,
        "deadline": row.deadline,
        "responses_count": row.responses_count,
        "is_urgent": row.is_urgent,
        "difficulty": row.difficulty,
        "is_booking": row.booked,
        "payment": row.payment,
        "agreed_price": None if row.agreed_minor is None else to_major(row.agreed_minor, row.currency),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "completed_at": row.completed_at,
        "confirms_at": row.updated_at + CONFIRM_AFTER if row.status == TaskStatus.PENDING_CONFIRMATION else None,
        "cancel_reason": row.reason if roles & CONCERNED and row.status == TaskStatus.CANCELLED else None,
        "available_actions": TASK_LIFECYCLE.actions(row.status, roles),
    }
    return with_distance(body, row)


def _page(viewer: User | None, params: dict[str, Any]) -> Page:
    page = BROWSE.page_of_at_least(params.pop("min_results", None), params, lambda row: view(viewer, row))
    if viewer is not None:
        actions.narrow(viewer, page.items)
    return page


def _on_view(query: dict[str, Any]) -> JsonObject:
    return {**_prepared({"status": TaskStatus.OPEN, **query}), "on_board": True}


def _prepared(query: dict[str, Any]) -> JsonObject:
    budgets = rank_bounds("budget", query.pop("min_budget", None), query.pop("max_budget", None))
    living = None if query.get("status") else TaskStatus.DELETED  # a state that was asked for is enough
    categories = tree().filter(query.pop("category", None))
    return {**query, "living": living, **categories, **budgets}


def _with_involvement(viewer: User, task: dict[str, Any]) -> JsonObject:
    if viewer.id in {task["creator_id"], task["assigned_to_id"]}:
        task = _with_payment(task)
    if "pending_applications_count" not in task:
        task["pending_applications_count"] = actions.pending_counts([task["id"]]).get(task["id"], 0)
    is_cancelled = task["status"] == TaskStatus.CANCELLED
    return {**task, "cancelled_by_id": last_actor(task["id"], "cancel", "decline") if is_cancelled else None}


def _with_payment(task: dict[str, Any]) -> JsonObject:
    """The task with id and status of its payment."""
    payment_id, status = payments_queries.standing_of(task_reference(task["id"])) or (None, None)
    return {**task, "payment_id": payment_id, "payment_status": status}


ON_VIEW = PublicList(
    BROWSE,
    on_view=_on_view,
    facets_by=("category", "difficulty"),
    amount=TASKS.c.budget_minor,
    owner=TASKS.c.creator_id,
    posted=(TASKS.c.status == TaskStatus.OPEN, TASKS.c.booked == false()),
)
best, latest, facets, newly_posted = ON_VIEW.best, ON_VIEW.latest, ON_VIEW.facets, ON_VIEW.newly_posted
