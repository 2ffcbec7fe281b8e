"""Which tasks and applications one sees, and one's role towards them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, false, or_, select

from marketplace.auth.models import User
from marketplace.auth.policy import id_of, is_staff, staff_roles
from marketplace.tasks.lifecycle import TaskStatus
from marketplace.tasks.models import Application, Task

OWNER, STRANGER = frozenset({"owner"}), frozenset({"stranger"})
WORKER, PROVIDER = frozenset({"worker"}), frozenset({"provider"})


def visible_to(user: User | None) -> Select[Task]:
    """The public board, and bookings one is a side of; staff see all but the deleted."""
    living = select(Task).where(Task.status != TaskStatus.DELETED)
    return living if is_staff(user) else living.where(seen_by(Task, id_of(user)))


def seen_by(task: Any, me: Any) -> ColumnElement[bool]:
    """The same as a condition on the model or its table; `me` is an id or a parameter."""
    return or_(task.booked == false(), task.creator_id == me, task.assigned_to_id == me)


def applications_visible_to(user: User) -> Select[Application, Task]:
    """One's own applications, and those for one's own tasks."""
    mine = or_(Application.applicant_id == user.id, Task.creator_id == user.id)
    return (
        select(Application, Task)
        .join(Task, Task.id == Application.task_id)
        .where(mine, Task.status != TaskStatus.DELETED)
    )


def role_of(user: User | None, task: Any) -> frozenset[str]:
    """Owner, worker (or provider, where the task is a booking) or stranger; staff besides."""
    if user is None:
        return frozenset()
    return staff_roles(user) | _part_of(user.id, task)


def application_role_of(user: User | None, application: Any, task_creator_id: int) -> frozenset[str]:
    """Applicant, or owner of the task."""
    if user is None:
        return frozenset()
    if application.applicant_id == user.id:
        return frozenset({"applicant"})
    return OWNER if task_creator_id == user.id else frozenset()


def _part_of(user_id: int, task: Any) -> frozenset[str]:
    if task.creator_id == user_id:
        return OWNER
    if task.assigned_to_id == user_id:
        return PROVIDER if task.booked else WORKER
    return STRANGER
