"""/api/offerings."""

from functools import partial
from typing import Any

from marketplace.core.http import idempotency
from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, Created, answer_anew, written_answer
from marketplace.core.http.schemas import MessageSchema, created, page_of, written
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.json_types import JsonObject
from marketplace.offerings import queries, service
from marketplace.offerings.schemas import (
    BookingSchema,
    MyOfferingsQuery,
    OfferingChangesSchema,
    OfferingInputSchema,
    OfferingSchema,
    OfferingsQuery,
)
from marketplace.payments import queries as payments_queries
from marketplace.tasks import queries as tasks_queries
from marketplace.tasks.schemas import TaskDetailSchema

bp = Blueprint("offerings", __name__, url_prefix="/api/offerings", area="offerings", description="Services on offer")
OfferingsPage = page_of(OfferingSchema, "offerings")
OfferingWritten = written(OfferingSchema, "offering")


def _answer(offering_id: int, message: str) -> JsonObject:
    return written_answer("offering", queries.detail(current_user(), offering_id), message)


@bp.get("", access=ANYONE, shared="offerings")
@bp.arguments(queries.BROWSE.arguments(OfferingsQuery), location="query")
@bp.response(200, OfferingsPage)
def browse_offerings(query: dict[str, Any]) -> Answer:
    """Browse services, nearest first when asked by position."""
    return queries.browse(viewer(), **query)


@bp.get("/my", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(MyOfferingsQuery), location="query")
@bp.response(200, OfferingsPage)
def list_my_offerings(query: dict[str, Any]) -> Answer:
    """List my services in every state."""
    return queries.mine(current_user(), **query)


@bp.get("/user/<int:user_id>", access=ANYONE)
@bp.arguments(queries.BROWSE.arguments(OfferingsQuery), location="query")
@bp.response(200, OfferingsPage)
def list_user_offerings(query: dict[str, Any], user_id: int) -> Answer:
    """List a person's services."""
    return queries.browse(viewer(), **{**query, "creator_id": user_id})


@bp.post("", access=SIGNED_IN)
@bp.arguments(OfferingInputSchema)
@bp.response(201, created(OfferingSchema, "offering"))
def post_offering(data: dict[str, Any]) -> Answer:
    """Offer a service."""
    offering = service.post(current_user(), **data)
    body = queries.detail(current_user(), offering.id)
    return Created("offering", body, "/api/offerings", "Your offering is up.")


@bp.get("/<int:offering_id>", access=ANYONE)
@bp.response(200, OfferingSchema)
def show_offering(offering_id: int) -> Answer:
    """Show a service with its provider."""
    return queries.detail(viewer(), offering_id)


@bp.put("/<int:offering_id>", access=SIGNED_IN)
@bp.arguments(OfferingChangesSchema)
@bp.response(200, OfferingWritten)
def edit_offering(data: dict[str, Any], offering_id: int) -> Answer:
    """Change my service, or its status."""
    service.edit(current_user(), offering_id, **data)
    return _answer(offering_id, "Your offering is saved.")


@bp.delete("/<int:offering_id>", access=SIGNED_IN)
@bp.response(200, MessageSchema)
def delete_offering(offering_id: int) -> Answer:
    """Take my service down for good."""
    service.delete(current_user(), offering_id)
    return {"message": "Your offering is deleted."}


@bp.post("/<int:offering_id>/pause", access=SIGNED_IN)
@bp.response(200, OfferingWritten)
def pause_offering(offering_id: int) -> Answer:
    """Take my service off the list for a while."""
    service.pause(current_user(), offering_id)
    return _answer(offering_id, "Your offering is paused.")


@bp.post("/<int:offering_id>/close", access=SIGNED_IN)
@bp.response(200, OfferingWritten)
def close_offering(offering_id: int) -> Answer:
    """End my service; activating begins it again."""
    service.close(current_user(), offering_id)
    return _answer(offering_id, "Your offering is closed.")


@bp.post("/<int:offering_id>/activate", access=SIGNED_IN)
@bp.response(200, OfferingWritten)
def activate_offering(offering_id: int) -> Answer:
    """Put my service on the list again."""
    service.activate(current_user(), offering_id)
    return _answer(offering_id, "Your offering is active.")


@bp.post("/<int:offering_id>/book", access=SIGNED_IN)
@bp.arguments(BookingSchema)
@bp.response(201, created(TaskDetailSchema, "task"))
def book_offering(data: dict[str, Any], offering_id: int) -> Answer:
    """Book a service: a task assigned to its provider. With a `payment_method` it is paid at once, which needs an
    `Idempotency-Key`."""
    if "payment_method" in data:
        idempotency.demand()
    task = deals_payments_service.asked_at_once(lambda: service.book(current_user(), offering_id, **data))
    answer = _booked(task.id)
    if answer.body["task"]["payment_id"]:
        answer_anew(partial(_booked, task.id))
    return answer


def _booked(task_id: int) -> Created:
    body: Any = tasks_queries.detail(current_user(), task_id)
    said = "Booked. The provider has been told."
    if body["payment_id"]:
        said += f" {payments_queries.said_of(payments_queries.detail(current_user(), body['payment_id']))}"
    return Created("task", body, "/api/tasks", said)
