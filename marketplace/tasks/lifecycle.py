"""The states of a task and of an application, and who moves them."""

from datetime import timedelta
from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, deed, move


class S(StrEnum):
    """A task's states; `deleted` is seen by nobody."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    PENDING_CONFIRMATION = "pending_confirmation"
    COMPLETED = "completed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELETED = "deleted"


class A(StrEnum):
    """An application's states."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


RUNNING = (S.ASSIGNED, S.IN_PROGRESS, S.PENDING_CONFIRMATION, S.DISPUTED)
CONFIRM_AFTER = timedelta(hours=72)
STAFF = {"moderator", "admin"}

# A provider is the worker of a booked offering: nobody else could take such a task up, so
# declining one ends it instead of putting somebody's private booking on the public board.
TASK_LIFECYCLE = Lifecycle.table(
    "task",
    S.OPEN,
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
    edit=deed(S.OPEN, by={"owner"}),
    apply=deed(S.OPEN, by={"stranger"}),
    assign=move(S.OPEN, to=S.ASSIGNED, by={"owner"}),
    start=move(S.ASSIGNED, to=S.IN_PROGRESS, by={"worker", "provider"}),
    decline=(
        move(S.ASSIGNED, to=S.CANCELLED, by={"provider"}),
        move(S.ASSIGNED, to=S.OPEN, by={"worker"}),
    ),
    finish=move(S.ASSIGNED, S.IN_PROGRESS, to=S.PENDING_CONFIRMATION, by={"worker", "provider"}),
    confirm=move(S.PENDING_CONFIRMATION, to=S.COMPLETED, by={"owner", "system"}, after=CONFIRM_AFTER),
    dispute=move(S.IN_PROGRESS, S.PENDING_CONFIRMATION, to=S.DISPUTED, by={"owner", "worker", "provider"}),
    settle=move(S.DISPUTED, to=S.COMPLETED, by={"system"}),
    reopen=move(S.DISPUTED, to=S.IN_PROGRESS, by={"system"}),
    annul=move(S.DISPUTED, to=S.CANCELLED, by={"system"}),
    hand_over=move(S.ASSIGNED, S.IN_PROGRESS, S.PENDING_CONFIRMATION, to=S.COMPLETED, by={"worker", "provider"}),
    cancel=move(S.OPEN, S.ASSIGNED, to=S.CANCELLED, by={"owner", *STAFF, "system"}),
    expire=move(S.OPEN, to=S.EXPIRED, by={"system"}),
    delete=move(S.OPEN, to=S.DELETED, by={"owner", *STAFF}),
)

APPLICATION_LIFECYCLE = Lifecycle.table(
    "application",
    A.PENDING,
    requests={
        "accept": "POST /api/tasks/{task_id}/applications/{id}/accept",
        "reject": "POST /api/tasks/{task_id}/applications/{id}/reject",
        "withdraw": "DELETE /api/tasks/{task_id}/applications/{id}",
        "apply_again": "POST /api/tasks/{task_id}/apply",
    },
    accept=move(A.PENDING, to=A.ACCEPTED, by={"owner"}),
    reject=move(A.PENDING, to=A.REJECTED, by={"owner"}),
    withdraw=move(A.PENDING, to=A.WITHDRAWN, by={"applicant", "system"}),
    apply_again=move(A.WITHDRAWN, to=A.PENDING, by={"applicant"}),
    pass_over=move(A.PENDING, to=A.REJECTED, by={"system"}),
    reconsider=move(A.REJECTED, to=A.PENDING, by={"system"}),
    release=move(A.ACCEPTED, to=A.WITHDRAWN, by={"system"}),
)
