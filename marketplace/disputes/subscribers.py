"""A task that was disputed gets its file; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.disputes import service
from marketplace.events.tasks import TaskDisputed


@subscribe(TaskDisputed)
def open_file(event: TaskDisputed) -> None:
    """Also where it was disputed at the task itself."""
    service.open_missing(event.task_id)
