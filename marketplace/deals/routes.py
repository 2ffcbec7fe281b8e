"""/api/deals: what two people agreed on, whichever trade it came from."""

from typing import Any

from marketplace.core.database.db import in_transaction
from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import PageQuery, ProblemSchema, created, page_of, written
from marketplace.deals import queries, service
from marketplace.deals.payments import service as deals_payments_service
from marketplace.deals.schemas import (
    DealDetailSchema,
    DealSchema,
    DealsQuery,
    HandOverCodeAskedSchema,
    HandOverCodeSchema,
    HandOverSchema,
    PayDealSchema,
    TimelineSchema,
)
from marketplace.payments import queries as payments_queries
from marketplace.payments.handover_codes import wrong_code
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.schemas import PaymentDetailSchema, PaymentSchema, QuoteSchema

bp = Blueprint(
    "deals", __name__, url_prefix="/api/deals", area="deals", access=SIGNED_IN, description="Deals of every trade"
)


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(DealsQuery), location="query")
@bp.response(200, page_of(DealSchema, "deals"))
def list_deals(query: dict[str, Any]) -> Answer:
    """List my deals, the latest first: of one kind, in one stage, on one side, or all."""
    return queries.of(current_user(), **query)


@bp.get("/<reference>")
@bp.response(200, DealDetailSchema)
def show_deal(reference: str) -> Answer:
    """Show one deal of mine."""
    return queries.detail(current_user(), reference)


@bp.get("/<reference>/payments")
@bp.arguments(payments_queries.BROWSE.arguments(PageQuery), location="query")
@bp.response(200, page_of(PaymentSchema, "payments"))
def list_deal_payments(query: dict[str, Any], reference: str) -> Answer:
    """List what was paid for a deal of mine, the newest first."""
    return queries.payments_of(current_user(), reference, **query)


@bp.get("/<reference>/quote")
@bp.response(200, QuoteSchema)
@bp.alt_response(409, schema=ProblemSchema, description="No price was agreed on")
def show_deal_quote(reference: str) -> Answer:
    """Show what a deal of mine costs, and what the marketplace keeps of it."""
    return payments_queries.quote_view(deals_payments_service.quote(current_user(), reference))


@bp.post("/<reference>/payments", transaction=False, money=True)
@bp.arguments(PayDealSchema)
@bp.response(201, created(PaymentDetailSchema, "payment"))
def pay_for_deal(data: dict[str, Any], reference: str) -> Answer:
    """Pay for a deal of mine, its money is held until it is completed. The amount is the one agreed on: with a
    `payment_method` name the `price`, else read it in the answer and confirm."""
    payment_id = provider_requests_handlers.at_once(
        "payment", lambda: deals_payments_service.begin(current_user(), reference, **data).id
    )
    payment = payments_queries.detail(current_user(), payment_id)
    return Created("payment", payment, "/api/payments", payments_queries.said_of(payment))


@bp.get("/<reference>/timeline")
@bp.response(200, TimelineSchema)
def show_deal_timeline(reference: str) -> Answer:
    """Show what happened in a deal of mine since it was agreed on."""
    return {"timeline": queries.timeline(current_user(), reference)}


@bp.post("/<reference>/handover-code", no_replay=True)
@bp.arguments(HandOverCodeAskedSchema)
@bp.response(200, HandOverCodeSchema)
def show_deal_handover_code(data: dict[str, Any], reference: str) -> Answer:
    """Get the code that I show when it is handed over; whoever enters it is paid. `fresh` makes a new one."""
    return {"code": service.handover_code(current_user(), reference, **data)}


@bp.post("/<reference>/handover", transaction=False)
@bp.arguments(HandOverSchema)
@bp.response(200, written(DealDetailSchema, "deal"))
def hand_deal_over(data: dict[str, Any], reference: str) -> Answer:
    """Enter the client's code: the deal is completed and paid at once."""
    if not in_transaction(lambda: service.hand_over(current_user(), reference, **data)):
        raise wrong_code()
    return written_answer("deal", queries.detail(current_user(), reference), "Completed. Thank you.")
