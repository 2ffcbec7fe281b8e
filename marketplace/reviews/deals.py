"""Completed deals between two people, which today are tasks.

Apart from the rooms: reads of the tasks below, as the deals that reviews are about.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import exists, or_, select, union_all

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, fetch_as
from marketplace.reviews.models import CLIENT, WORKER, Review
from marketplace.tasks.lifecycle import TaskStatus
from marketplace.tasks.models import Task


@dataclass(frozen=True, slots=True)
class Deal:
    """A completed deal seen by one side: the other person, and their role."""

    task_id: int
    title: str
    completed_at: datetime | None
    other_id: int
    other_was: str

    @property
    def review_type(self) -> str:
        """`client_to_worker` or `worker_to_client`."""
        return f"{self.my_role}_to_{self.other_was}"

    @property
    def my_role(self) -> str:
        """The reviewer's role in the deal."""
        return CLIENT if self.other_was == WORKER else WORKER


def of_task(user: User, task: Task) -> Deal | None:
    """The deal of a task for one of its sides; None for others, and where it is not completed."""
    if task.status != TaskStatus.COMPLETED or user.id not in {task.creator_id, task.assigned_to_id}:
        return None
    return _seen_by(user.id, task)


def unreviewed(user: User, other_id: int) -> list[Deal]:
    """Completed deals with the other person that `user` has not reviewed, latest first."""
    reviewed = exists().where(Review.task_id == Task.id, Review.reviewer_id == user.id)
    between = or_(
        (Task.creator_id == user.id) & (Task.assigned_to_id == other_id),
        (Task.creator_id == other_id) & (Task.assigned_to_id == user.id),
    )
    columns = (Task.id, Task.title, Task.completed_at, Task.creator_id, Task.assigned_to_id)
    wanted = select(*columns).where(between, Task.status == TaskStatus.COMPLETED, ~reviewed)
    return [_seen_by(user.id, row) for row in fetch(wanted.order_by(Task.completed_at.desc(), Task.id.desc()))]


class UnratedSide(Protocol):
    """A side of a deal that has not reviewed the other."""

    task_id: int
    user_id: int
    other_id: int


def unrated(since: datetime, until: datetime) -> list[UnratedSide]:
    """Sides without a review, of deals completed in this time."""
    sides = ((Task.creator_id, Task.assigned_to_id), (Task.assigned_to_id, Task.creator_id))
    selects = []
    for mine, other in sides:
        rated = exists().where(Review.task_id == Task.id, Review.reviewer_id == mine)
        ended = (Task.status == TaskStatus.COMPLETED) & Task.completed_at.between(since, until)
        chosen = select(Task.id.label("task_id"), mine.label("user_id"), other.label("other_id"))
        selects.append(chosen.where(ended, ~rated))
    return fetch_as(UnratedSide, union_all(*selects))


def _seen_by(user_id: int, task: Any) -> Deal:
    mine = task.creator_id == user_id
    return Deal(
        task_id=task.id,
        title=task.title,
        completed_at=task.completed_at,
        other_id=task.assigned_to_id if mine else task.creator_id,
        other_was=WORKER if mine else CLIENT,
    )
