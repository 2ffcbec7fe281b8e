"""/api/admin/jobs: everybody's tasks; what the clock has to do is under /api/admin/queues."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.fields import Int
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import MessageSchema, page_of
from marketplace.tasks import queries, service
from marketplace.tasks.admin.schemas import AnyTasksQuery
from marketplace.tasks.schemas import TaskSchema

bp = Blueprint(
    "admin_tasks",
    __name__,
    url_prefix="/api/admin/jobs",
    access=allowed_to(May.MODERATE_CONTENT),
    description="Tasks, for staff",
)


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(AnyTasksQuery), location="query")
@bp.response(200, page_of(TaskSchema, "jobs", "AnyTasksPage", totalPages=Int(example=1)))
def list_all_tasks(query: dict[str, Any]) -> Answer:
    """List everybody's tasks and bookings, the newest first."""
    return queries.everybodys(current_user(), **query).called("jobs")


@bp.delete("/<int:task_id>")
@bp.response(200, MessageSchema)
def delete_any_task(task_id: int) -> Answer:
    """Delete a task for good, while it is open."""
    service.delete(current_user(), task_id)
    return {"message": "The task is deleted."}
