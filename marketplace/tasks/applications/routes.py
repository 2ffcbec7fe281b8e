"""/api/tasks/…/applications."""

from typing import Any

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, answer_anew, written_answer
from marketplace.core.http.schemas import created, page_of, written
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.json_types import JsonObject
from marketplace.payments import queries as payments_queries
from marketplace.tasks import queries as tasks_queries
from marketplace.tasks import service as tasks_service
from marketplace.tasks.applications import queries as applications_queries
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.schemas import (
    AcceptByPathSchema,
    AcceptSchema,
    ApplicationSchema,
    ApplicationsQuery,
    ApplySchema,
    MyApplicationSchema,
    TaskDetailSchema,
)

bp = Blueprint(
    "applications", __name__, url_prefix="/api/tasks", area="tasks", access=SIGNED_IN, description="Offers to do a task"
)
ApplicationWritten = written(ApplicationSchema, "application")
Accepted = written(TaskDetailSchema, "task", titled="ApplicationAccepted", application=ApplicationSchema)
NOTHING_HELD = "The task is assigned. No price was agreed on, so no money is held."


def _answer(application_id: int, message: str) -> JsonObject:
    return written_answer("application", applications_queries.detail(current_user(), application_id), message)


def _accepted(application_id: int, task_id: int, how: dict[str, Any]) -> JsonObject:
    deals_payments_service.asked_at_once(
        lambda: tasks_service.accept_application(current_user(), application_id, task_id, **how)
    )
    answer = _accepted_answer(application_id, task_id, how)
    task: Any = answer["task"]
    if task["payment_id"]:
        answer_anew(lambda: _accepted_answer(application_id, task_id, how))
    return answer


def _accepted_answer(application_id: int, task_id: int, how: dict[str, Any]) -> JsonObject:
    application = applications_queries.detail(current_user(), application_id)
    task: Any = tasks_queries.detail(current_user(), task_id)
    wants_to_pay = task["payment"] == deals_payments_service.ESCROW or "payment_method" in how
    said = NOTHING_HELD if wants_to_pay and not task["agreed_price"] else "The task is assigned."
    if task["payment_id"]:
        said += f" {payments_queries.said_of(payments_queries.detail(current_user(), task['payment_id']))}"
    return {**written_answer("task", task, said), "application": application}


@bp.get("/my-applications")
@bp.arguments(applications_queries.APPLICATIONS_LIST.arguments(ApplicationsQuery), location="query")
@bp.response(200, page_of(MyApplicationSchema, "applications", "MyApplicationsPage"))
def list_my_applications(query: dict[str, Any]) -> Answer:
    """List my applications, each with its task."""
    return applications_queries.by(current_user(), **query)


@bp.post("/<int:task_id>/apply")
@bp.arguments(ApplySchema)
@bp.response(201, created(ApplicationSchema, "application"))
def apply_for_task(data: dict[str, Any], task_id: int) -> Answer:
    """Offer to do a task."""
    application = applications_service.apply(current_user(), task_id, **data)
    body = applications_queries.detail(current_user(), application.id)
    return Created("application", body, f"/api/tasks/{task_id}/applications", "Your application is sent.")


@bp.get("/<int:task_id>/applications")
@bp.arguments(applications_queries.APPLICATIONS_LIST.arguments(ApplicationsQuery), location="query")
@bp.response(200, page_of(ApplicationSchema, "applications"))
def list_applications(query: dict[str, Any], task_id: int) -> Answer:
    """List who wants to do my task."""
    return applications_queries.for_task(current_user(), task_id, **query)


@bp.get("/<int:task_id>/applications/<int:application_id>")
@bp.response(200, ApplicationSchema)
def show_application(task_id: int, application_id: int) -> Answer:
    """Show one application to its two sides."""
    applications_queries.find(current_user(), application_id, task_id)
    return applications_queries.detail(current_user(), application_id)


@bp.post("/<int:task_id>/accept-application")
@bp.arguments(AcceptSchema)
@bp.response(200, Accepted)
def accept_application(data: dict[str, Any], task_id: int) -> Answer:
    """Take one applicant; the others become rejected. Where the money is held, the provider is asked before you are
    answered: `payment_status` is what became of it."""
    return _accepted(data.pop("application_id"), task_id, data)


@bp.post("/<int:task_id>/applications/<int:application_id>/accept")
@bp.arguments(AcceptByPathSchema)
@bp.response(200, Accepted)
def accept_application_by_path(data: dict[str, Any], task_id: int, application_id: int) -> Answer:
    """Take one applicant, named in the path."""
    return _accepted(application_id, task_id, data)


@bp.post("/<int:task_id>/applications/<int:application_id>/reject")
@bp.response(200, ApplicationWritten)
def reject_application(task_id: int, application_id: int) -> Answer:
    """Say no to one applicant."""
    applications_service.reject(current_user(), application_id, task_id)
    return _answer(application_id, "The application is rejected.")


@bp.delete("/<int:task_id>/applications/<int:application_id>")
@bp.response(200, ApplicationWritten)
def withdraw_application(task_id: int, application_id: int) -> Answer:
    """Take my application back while it waits."""
    applications_service.withdraw(current_user(), application_id, task_id)
    return _answer(application_id, "Your application is withdrawn.")
