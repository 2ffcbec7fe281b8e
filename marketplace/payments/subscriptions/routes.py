"""/api/plans and /api/subscription: what one can subscribe to, and one's own subscription."""

from typing import Any

from marketplace.core.http.access import ANYONE, SIGNED_IN, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import created, page_of, written
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.receipts import formats
from marketplace.payments.subscriptions import checkout, queries, service
from marketplace.payments.subscriptions.schemas import (
    MySubscriptionSchema,
    PlanReceiptSchema,
    PlansQuery,
    PlansSchema,
    PrintQuery,
    ReceiptsQuery,
    StopQuery,
    SubscribeSchema,
    SubscriptionSchema,
)

plans_bp = Blueprint(
    "plans", __name__, url_prefix="/api/plans", area="payments", description="What can be subscribed to"
)
bp = Blueprint(
    "subscription",
    __name__,
    url_prefix="/api/subscription",
    area="payments",
    access=SIGNED_IN,
    description="My subscription",
)


@plans_bp.get("", access=ANYONE)
@plans_bp.arguments(PlansQuery, location="query")
@plans_bp.response(200, PlansSchema)
def list_plans(query: dict[str, Any]) -> Answer:
    """List the plans one can subscribe to."""
    return queries.offered(viewer(), query.get("lang"))


@bp.get("")
@bp.response(200, MySubscriptionSchema)
def show_subscription() -> Answer:
    """Show my subscription, or null."""
    return {"subscription": queries.of(current_user())}


@bp.post("", transaction=False, money=True)
@bp.arguments(SubscribeSchema)
@bp.response(201, created(SubscriptionSchema, "subscription"))
def start_subscription(data: dict[str, Any]) -> Answer:
    """Subscribe to a plan, go over to another one, or try again to pay for it. The price is the plan's, whatever is
    sent."""
    mine = queries.by_id(current_user(), checkout.subscribe(current_user(), **data))
    answer = Created("subscription", mine, "/api/subscription", str(mine["failure"] or "Your plan has begun."))
    answer.location = "/api/subscription"
    return answer


@bp.delete("", transaction=False)
@bp.arguments(StopQuery, location="query")
@bp.response(200, written(SubscriptionSchema, "subscription"))
def end_subscription(query: dict[str, Any]) -> Answer:
    """End my subscription with what is paid for, or now. Nothing is paid back."""
    stopped = provider_requests_handlers.at_once(
        "subscription", lambda: service.stop(current_user(), at_once=query["now"]).id
    )
    return written_answer("subscription", queries.by_id(current_user(), stopped), "It will not be renewed.")


@bp.get("/receipts")
@bp.arguments(queries.RECEIPTS_LIST.arguments(ReceiptsQuery), location="query")
@bp.response(200, page_of(PlanReceiptSchema, "receipts", "PlanReceiptsPage"))
def list_subscription_receipts(query: dict[str, Any]) -> Answer:
    """List what I have paid for plans, the newest first."""
    return queries.receipts_of(current_user(), **query)


@bp.get("/receipts/<number>")
@bp.arguments(PrintQuery, location="query")
@bp.sends_bytes("application/pdf", "text/html")
def show_subscription_receipt(query: dict[str, Any], number: str) -> Answer:
    """Send a receipt as a PDF, or as a page where `Accept` or `format` says so."""
    return formats.as_asked(queries.receipt_of(current_user(), number), current_user(), **query)
