"""Disputes listen to tasks; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.disputes import service
from marketplace.events.tasks import TaskDisputed


@subscribe(TaskDisputed)
def open_file(event: TaskDisputed) -> None:
    """Open the dispute of a task that was disputed at the task itself; there may be one."""
    service.open_missing(event.task_id)
