"""/api/wallet and /api/payouts: what I earned, and sending it to my bank."""

from typing import Any

from flask import request
from marshmallow import fields

from marketplace.core.http.access import PROVED_TWICE, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import created, page_of, written
from marketplace.payments import statements
from marketplace.payments.payouts import queries as payouts_queries
from marketplace.payments.payouts import service
from marketplace.payments.schemas import (
    OnboardingInputSchema,
    OnboardingSchema,
    PayoutInputSchema,
    PayoutSchema,
    PayoutsQuery,
    TransactionSchema,
    TransactionsQuery,
    WalletSchema,
)
from marketplace.payments.wallets import queries as wallets_queries

bp = Blueprint(
    "wallet", __name__, url_prefix="/api/wallet", area="payments", access=SIGNED_IN, description="What I earned"
)
payouts_bp = Blueprint(
    "payouts", __name__, url_prefix="/api/payouts", area="payments", access=SIGNED_IN, description="Money to my bank"
)
PayoutsCreated = created(PayoutSchema, "payout", payouts=fields.List(fields.Nested(PayoutSchema), required=True))


@bp.get("")
@bp.response(200, WalletSchema)
def show_wallet() -> Answer:
    """Show my balances by currency, and which part of them lies at which provider."""
    user = current_user()
    return {"balances": wallets_queries.wallet(user), "can_be_paid_out": service.is_onboarded(user.id)}


@bp.get("/transactions")
@bp.arguments(wallets_queries.STATEMENT.arguments(TransactionsQuery), location="query")
@bp.response(200, page_of(TransactionSchema, "transactions"))
def show_statement(query: dict[str, Any]) -> Answer:
    """Show every movement of my wallet, the newest first; as CSV (all of it) where `Accept` says text/csv."""
    best = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    if best == "text/csv":
        return statements.as_csv(current_user(), query.get("currency"))
    return wallets_queries.statement(current_user(), **query)


@payouts_bp.get("")
@payouts_bp.arguments(payouts_queries.BROWSE.arguments(PayoutsQuery), location="query")
@payouts_bp.response(200, page_of(PayoutSchema, "payouts"))
def list_payouts(query: dict[str, Any]) -> Answer:
    """List my payouts, the newest first."""
    return payouts_queries.of(current_user(), **query)


@payouts_bp.post("", access=PROVED_TWICE, money=True)
@payouts_bp.arguments(PayoutInputSchema)
@payouts_bp.response(201, PayoutsCreated)
def request_payout(data: dict[str, Any]) -> Answer:
    """Send so much of my wallet to my bank, by the provider where it lies; where no provider has all of it each sends
    its part, and all parts are in `payouts`."""
    made = [payouts_queries.view(payout) for payout in service.request(current_user(), **data)]
    return Created("payout", made[0], "/api/payouts", "The money is on its way.", payouts=made)


@payouts_bp.get("/<int:payout_id>")
@payouts_bp.response(200, PayoutSchema)
def show_payout(payout_id: int) -> Answer:
    """Show one payout of mine."""
    return payouts_queries.view(payouts_queries.find(current_user(), payout_id))


@payouts_bp.post("/<int:payout_id>/cancel", money=True)
@payouts_bp.response(200, written(PayoutSchema, "payout"))
def cancel_payout(payout_id: int) -> Answer:
    """Keep the money in my wallet after all, while it was not sent."""
    return written_answer("payout", payouts_queries.view(service.cancel(current_user(), payout_id)), "Cancelled.")


@payouts_bp.post("/onboarding", access=PROVED_TWICE, transaction=False)
@payouts_bp.arguments(OnboardingInputSchema)
@payouts_bp.response(200, OnboardingSchema)
def begin_onboarding(data: dict[str, Any]) -> Answer:
    """Get the address where I tell the provider who I am and where my money should go."""
    state = service.onboard(current_user(), **data)
    return {"url": state.url, "ready": state.ready}
