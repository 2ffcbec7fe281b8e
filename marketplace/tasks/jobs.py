"""What the clock does to tasks."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from marketplace.core.db import in_transaction
from marketplace.core.jobs import Run, job
from marketplace.tasks import queries, service

AT_ONCE = 200


@job("expire_tasks", timeout=300, every=timedelta(minutes=1))
def expire_tasks(run: Run) -> None:
    """Open tasks whose deadline is over."""
    _each(queries.due_to_expire, service.expire)


@job("confirm_tasks", timeout=300, every=timedelta(minutes=1))
def confirm_tasks(run: Run) -> None:
    """Finished tasks whose owner says nothing."""
    _each(queries.due_for_confirmation, service.confirm_unanswered)


def _each(due: Callable[..., Any], end: Callable[[int], None]) -> None:
    """One transaction a task: one that cannot be moved does not hold up the others."""
    for task_id in due(batch=AT_ONCE):
        in_transaction(partial(end, task_id))
