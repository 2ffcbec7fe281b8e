"""Periodic jobs of tasks."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job, one_by_one
from marketplace.tasks import queries, service


@job("expire_tasks", timeout=300, every=timedelta(minutes=1))
def expire_tasks(run: Run) -> None:
    """Expire open tasks past their deadline."""
    one_by_one(queries.EXPIRY.ids, service.expire)
