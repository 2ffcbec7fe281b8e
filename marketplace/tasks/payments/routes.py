"""/api/payments for tasks: what it costs, paying, and the names an older client uses for it."""

from typing import Any

from marketplace.core.database.db import in_transaction
from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import ProblemSchema, created, written
from marketplace.deals.schemas import HandOverCodeAskedSchema, HandOverCodeSchema, HandOverSchema, PayDealSchema
from marketplace.payments import handover_codes as payments_handover_codes
from marketplace.payments import queries as payments_queries
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.schemas import PaymentDetailSchema, QuoteSchema, RefundInputSchema
from marketplace.payments.subscriptions import checkout
from marketplace.payments.subscriptions import queries as subscriptions_queries
from marketplace.tasks import handover_codes as tasks_handover_codes
from marketplace.tasks import queries
from marketplace.tasks import service as tasks_service
from marketplace.tasks.payments import refunds
from marketplace.tasks.payments import service as tasks_payments_service
from marketplace.tasks.schemas import (
    BegunPaymentSchema,
    PaySchema,
    QuoteQuery,
    TaskDetailSchema,
)

bp = Blueprint(
    "task_payments",
    __name__,
    follows="offerings",
    url_prefix="/api/payments",
    area="payments",
    access=SIGNED_IN,
    description="Paying",
)
tasks_bp = Blueprint(
    "handing_over",
    __name__,
    follows="task_payments",
    url_prefix="/api/tasks",
    area="tasks",
    access=SIGNED_IN,
    description="Handing over",
)
PaymentCreated = created(PaymentDetailSchema, "payment")
TaskWritten = written(TaskDetailSchema, "task")


@bp.get("/tasks/<int:task_id>/quote")
@bp.arguments(QuoteQuery, location="query")
@bp.response(200, QuoteSchema)
@bp.alt_response(409, schema=ProblemSchema, description="No price was agreed on")
def show_quote(query: dict[str, Any], task_id: int) -> Answer:
    """Show what a task would cost, and what the marketplace keeps of it, before paying; with an application, to its
    two sides, before it is accepted."""
    return payments_queries.quote_view(tasks_payments_service.quote(current_user(), task_id, **query))


@bp.post("", transaction=False, money=True)
@bp.arguments(PaySchema)
@bp.response(201, created(BegunPaymentSchema, "payment"))
def begin_payment(data: dict[str, Any]) -> Answer:
    """Pay for a task, its money is held until it is done; or subscribe to a plan. The amount is the one agreed on, or
    the plan's: with a `payment_method` name the `price` of a task, else read it in the answer and confirm."""
    return _begun(data.pop("task_id"), data) if "task_id" in data else _subscribed(data)


@bp.post("/tasks/<int:task_id>/pay", transaction=False, money=True)
@bp.arguments(PayDealSchema)
@bp.response(201, PaymentCreated)
def pay_for_task(data: dict[str, Any], task_id: int) -> Answer:
    """Pay for a task named in the path."""
    return _begun(task_id, data)


@bp.post("/tasks/<int:task_id>/release-payment", money=True)
@bp.response(200, TaskWritten)
def release_payment(task_id: int) -> Answer:
    """Confirm that the task is done, which pays its worker (another name for POST /tasks/<id>/confirm)."""
    tasks_service.confirm(current_user(), task_id)
    return written_answer("task", queries.detail(current_user(), task_id), "Completed. The worker is paid.")


@bp.post("/tasks/<int:task_id>/refund", money=True)
@bp.arguments(RefundInputSchema)
@bp.response(200, written(PaymentDetailSchema, "payment"))
def refund_task(data: dict[str, Any], task_id: int) -> Answer:
    """Undo a payment by its task: its owner cancels the task, its worker gives back what they were paid."""
    payment_id = refunds.undo(current_user(), task_id, **data)
    return written_answer(
        "payment", payments_queries.detail(current_user(), payment_id), "The money is on its way back."
    )


@tasks_bp.post("/<int:task_id>/handover-code", no_replay=True)
@tasks_bp.arguments(HandOverCodeAskedSchema)
@tasks_bp.response(200, HandOverCodeSchema)
def show_handover_code(data: dict[str, Any], task_id: int) -> Answer:
    """Get the code that I show when it is handed over; whoever enters it is paid. `fresh` makes a new one."""
    return {"code": tasks_handover_codes.code_of(current_user(), task_id, **data)}


@tasks_bp.post("/<int:task_id>/handover", transaction=False)
@tasks_bp.arguments(HandOverSchema)
@tasks_bp.response(200, TaskWritten)
def hand_over_task(data: dict[str, Any], task_id: int) -> Answer:
    """Enter the owner's code: the task is completed and paid at once."""
    if not in_transaction(lambda: tasks_handover_codes.hand_over(current_user(), task_id, **data)):
        raise payments_handover_codes.wrong_code()
    return written_answer("task", queries.detail(current_user(), task_id), "Completed. Thank you.")


def _begun(task_id: int, data: dict[str, Any]) -> Created:
    payment_id = provider_requests_handlers.at_once(
        "payment", lambda: tasks_payments_service.begin(current_user(), task_id, **data).id
    )
    payment = payments_queries.detail(current_user(), payment_id)
    return Created("payment", payment, "/api/payments", payments_queries.said_of(payment))


def _subscribed(data: dict[str, Any]) -> Created:
    """What POST /api/subscription does, told as a payment."""
    mine = subscriptions_queries.by_id(current_user(), checkout.subscribe(current_user(), **data))
    payment = subscriptions_queries.as_payment(current_user(), mine)
    answer = Created("payment", payment, "/api/subscription", str(payment["failure"] or "Your plan has begun."))
    answer.location = "/api/subscription"
    return answer
