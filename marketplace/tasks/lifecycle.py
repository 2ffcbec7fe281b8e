"""States of a task and of an application, and who moves them."""

from datetime import timedelta
from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, guard, move


class TaskStatus(StrEnum):
    """States of a task; nobody sees `deleted` ones."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    PENDING_CONFIRMATION = "pending_confirmation"
    COMPLETED = "completed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELETED = "deleted"


class ApplicationStatus(StrEnum):
    """States of an application."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


RUNNING = (TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS, TaskStatus.PENDING_CONFIRMATION, TaskStatus.DISPUTED)
CONFIRM_AFTER = timedelta(hours=72)
STAFF = {"moderator", "admin"}

# A provider is the worker of a booked offering: nobody else could take such a task up, so
# declining one ends it instead of putting somebody's private booking on the public board.
TASK_LIFECYCLE = Lifecycle.table(
    "task",
    TaskStatus.OPEN,
    requests={
        "edit": "PUT /api/tasks/{id}",
        "apply": "POST /api/tasks/{id}/apply",
        "assign": "POST /api/tasks/{id}/accept-application",
        "start": "POST /api/tasks/{id}/start",
        "decline": "POST /api/tasks/{id}/decline",
        "finish": "POST /api/tasks/{id}/done",
        "confirm": "POST /api/tasks/{id}/confirm",
        "dispute": "POST /api/tasks/{id}/dispute",
        "hand_over": "POST /api/tasks/{id}/handover",
        "cancel": "POST /api/tasks/{id}/cancel",
        "delete": "DELETE /api/tasks/{id}",
    },
    stages={
        TaskStatus.ASSIGNED: "agreed",
        TaskStatus.IN_PROGRESS: "active",
        TaskStatus.PENDING_CONFIRMATION: "delivered",
        TaskStatus.COMPLETED: "completed",
        TaskStatus.DISPUTED: "disputed",
        TaskStatus.CANCELLED: "cancelled",
    },
    edit=guard(TaskStatus.OPEN, by={"owner"}),
    apply=guard(TaskStatus.OPEN, by={"stranger"}),
    assign=move(TaskStatus.OPEN, to=TaskStatus.ASSIGNED, by={"owner"}),
    start=move(TaskStatus.ASSIGNED, to=TaskStatus.IN_PROGRESS, by={"worker", "provider"}),
    decline=(
        move(TaskStatus.ASSIGNED, to=TaskStatus.CANCELLED, by={"provider"}),
        move(TaskStatus.ASSIGNED, to=TaskStatus.OPEN, by={"worker"}),
    ),
    finish=move(
        TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS, to=TaskStatus.PENDING_CONFIRMATION, by={"worker", "provider"}
    ),
    confirm=move(TaskStatus.PENDING_CONFIRMATION, to=TaskStatus.COMPLETED, by={"owner", "system"}, after=CONFIRM_AFTER),
    dispute=move(
        TaskStatus.IN_PROGRESS,
        TaskStatus.PENDING_CONFIRMATION,
        to=TaskStatus.DISPUTED,
        by={"owner", "worker", "provider"},
    ),
    settle=move(TaskStatus.DISPUTED, to=TaskStatus.COMPLETED, by={"system"}),
    reopen=move(TaskStatus.DISPUTED, to=TaskStatus.IN_PROGRESS, by={"system"}),
    annul=move(TaskStatus.DISPUTED, to=TaskStatus.CANCELLED, by={"system"}),
    hand_over=move(
        TaskStatus.ASSIGNED,
        TaskStatus.IN_PROGRESS,
        TaskStatus.PENDING_CONFIRMATION,
        to=TaskStatus.COMPLETED,
        by={"worker", "provider"},
    ),
    cancel=move(TaskStatus.OPEN, TaskStatus.ASSIGNED, to=TaskStatus.CANCELLED, by={"owner", *STAFF, "system"}),
    expire=move(TaskStatus.OPEN, to=TaskStatus.EXPIRED, by={"system"}),
    delete=move(TaskStatus.OPEN, to=TaskStatus.DELETED, by={"owner", *STAFF}),
)

APPLICATION_LIFECYCLE = Lifecycle.table(
    "application",
    ApplicationStatus.PENDING,
    requests={
        "accept": "POST /api/tasks/{task_id}/applications/{id}/accept",
        "reject": "POST /api/tasks/{task_id}/applications/{id}/reject",
        "withdraw": "DELETE /api/tasks/{task_id}/applications/{id}",
        "apply_again": "POST /api/tasks/{task_id}/apply",
    },
    accept=move(ApplicationStatus.PENDING, to=ApplicationStatus.ACCEPTED, by={"owner"}),
    reject=move(ApplicationStatus.PENDING, to=ApplicationStatus.REJECTED, by={"owner"}),
    withdraw=move(ApplicationStatus.PENDING, to=ApplicationStatus.WITHDRAWN, by={"applicant", "system"}),
    apply_again=move(ApplicationStatus.WITHDRAWN, to=ApplicationStatus.PENDING, by={"applicant"}),
    pass_over=move(ApplicationStatus.PENDING, to=ApplicationStatus.REJECTED, by={"system"}),
    reconsider=move(ApplicationStatus.REJECTED, to=ApplicationStatus.PENDING, by={"system"}),
    release=move(ApplicationStatus.ACCEPTED, to=ApplicationStatus.WITHDRAWN, by={"system"}),
)
