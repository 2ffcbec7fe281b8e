"""/api/tasks: posting, browsing and the lifecycle."""

from typing import Any

from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import MessageSchema, created, page_of, widened, written
from marketplace.kit.json_types import JsonObject
from marketplace.tasks import queries, service
from marketplace.tasks.schemas import (
    AttentionSchema,
    DoneSchema,
    MyTasksQuery,
    ReasonSchema,
    TaskChangesSchema,
    TaskDetailSchema,
    TaskInputSchema,
    TaskSchema,
    TasksOfPersonQuery,
    TasksQuery,
)

bp = Blueprint("tasks", __name__, url_prefix="/api/tasks", area="tasks", description="Quick help")
TasksPage = page_of(TaskSchema, "tasks", **widened())
TaskWritten = written(TaskDetailSchema, "task")


def _answer(task_id: int, message: str) -> JsonObject:
    return written_answer("task", queries.detail(current_user(), task_id), message)


@bp.get("", access=ANYONE, shared="tasks")
@bp.arguments(queries.BROWSE.arguments(TasksQuery), location="query")
@bp.response(200, TasksPage)
def browse_tasks(query: dict[str, Any]) -> Answer:
    """Browse the board, nearest first when asked by position."""
    return queries.browse(viewer(), **query)


@bp.get("/search", access=ANYONE)
@bp.arguments(queries.BROWSE.arguments(TasksQuery), location="query")
@bp.response(200, TasksPage)
def search_tasks(query: dict[str, Any]) -> Answer:
    """Search the board by words."""
    return queries.browse(viewer(), **query)


@bp.get("/user/<int:user_id>", access=ANYONE)
@bp.arguments(queries.BROWSE.arguments(TasksOfPersonQuery), location="query")
@bp.response(200, TasksPage)
def list_user_tasks(query: dict[str, Any], user_id: int) -> Answer:
    """List the tasks a person posted on the board."""
    return queries.browse(viewer(), **{**query, "creator_id": user_id})


@bp.get("/my", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(MyTasksQuery), location="query")
@bp.response(200, TasksPage)
def list_my_tasks(query: dict[str, Any]) -> Answer:
    """List the tasks assigned to me, completed ones too."""
    return queries.assigned_to(current_user(), **query)


@bp.get("/created", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(MyTasksQuery), location="query")
@bp.response(200, TasksPage)
def list_created_tasks(query: dict[str, Any]) -> Answer:
    """List the tasks I posted, each with how many applications wait."""
    return queries.created_by(current_user(), **query)


@bp.get("/notifications", access=SIGNED_IN)
@bp.response(200, AttentionSchema)
def count_attention() -> Answer:
    """Count what waits for me: applications, confirmations, assignments."""
    return queries.attention(current_user())


@bp.post("", access=SIGNED_IN)
@bp.arguments(TaskInputSchema)
@bp.response(201, created(TaskDetailSchema, "task"))
def post_task(data: dict[str, Any]) -> Answer:
    """Put a task on the board."""
    task = service.post(current_user(), **data)
    return Created("task", queries.detail(current_user(), task.id), "/api/tasks", "Your task is on the board.")


@bp.get("/<int:task_id>", access=ANYONE)
@bp.response(200, TaskDetailSchema)
def show_task(task_id: int) -> Answer:
    """Show a task; somebody signed in also learns what they have to do with it."""
    return queries.detail(viewer(), task_id)


@bp.put("/<int:task_id>", access=SIGNED_IN)
@bp.arguments(TaskChangesSchema)
@bp.response(200, TaskWritten)
def edit_task(data: dict[str, Any], task_id: int) -> Answer:
    """Change my task while it is open."""
    service.edit(current_user(), task_id, **data)
    return _answer(task_id, "Your task is saved.")


@bp.delete("/<int:task_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def delete_task(task_id: int) -> Answer:
    """Take my task off the board while it is open."""
    service.delete(current_user(), task_id)
    return {"message": "Your task is deleted."}


@bp.post("/<int:task_id>/start", access=SIGNED_IN)
@bp.response(200, TaskWritten)
def start_task(task_id: int) -> Answer:
    """Take the assignment up."""
    service.start(current_user(), task_id)
    return _answer(task_id, "You have started.")


@bp.post("/<int:task_id>/decline", access=SIGNED_IN)
@bp.arguments(ReasonSchema)
@bp.response(200, TaskWritten)
def decline_task(data: dict[str, Any], task_id: int) -> Answer:
    """Give the assignment back; the task is open again (a booking is cancelled)."""
    service.decline(current_user(), task_id, **data)
    return _answer(task_id, "You have declined.")


@bp.post("/<int:task_id>/done", access=SIGNED_IN)
@bp.arguments(DoneSchema)
@bp.response(200, TaskWritten)
def finish_task(data: dict[str, Any], task_id: int) -> Answer:
    """Say that it is done; the owner confirms."""
    service.finish(current_user(), task_id, **data)
    return _answer(task_id, "Done. The owner has been asked to confirm.")


@bp.post("/<int:task_id>/mark-done", access=SIGNED_IN)
@bp.arguments(DoneSchema)
@bp.response(200, TaskWritten)
def mark_task_done(data: dict[str, Any], task_id: int) -> Answer:
    """Say that it is done (another name for /done)."""
    service.finish(current_user(), task_id, **data)
    return _answer(task_id, "Done. The owner has been asked to confirm.")


@bp.post("/<int:task_id>/confirm", access=SIGNED_IN)
@bp.response(200, TaskWritten)
def confirm_task(task_id: int) -> Answer:
    """Confirm that it is done: completed."""
    service.confirm(current_user(), task_id)
    return _answer(task_id, "Completed. Thank you.")


@bp.post("/<int:task_id>/dispute", access=SIGNED_IN)
@bp.arguments(ReasonSchema)
@bp.response(200, TaskWritten)
def dispute_task(data: dict[str, Any], task_id: int) -> Answer:
    """Say that the two sides do not agree."""
    service.dispute(current_user(), task_id, **data)
    return _answer(task_id, "The dispute is open.")


@bp.post("/<int:task_id>/cancel", access=SIGNED_IN)
@bp.arguments(ReasonSchema)
@bp.response(200, TaskWritten)
def cancel_task(data: dict[str, Any], task_id: int) -> Answer:
    """Cancel my task while it is open or assigned."""
    service.cancel(current_user(), task_id, **data)
    return _answer(task_id, "Your task is cancelled.")
