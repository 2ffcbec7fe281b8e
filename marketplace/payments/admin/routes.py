"""/api/admin: payments, payouts and the ledger, for whoever runs the money."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import MessageSchema, page_of, written
from marketplace.payments import service
from marketplace.payments.admin import queries
from marketplace.payments.admin.schemas import (
    AnyPaymentsQuery,
    AnyPayoutsQuery,
    BreakSchema,
    BreaksQuery,
    JudgedPayoutSchema,
    LedgerSchema,
)
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.schemas import PaymentSchema

bp = Blueprint(
    "admin_money",
    __name__,
    url_prefix="/api/admin",
    access=allowed_to(May.RUN_MONEY),
    description="Money, for staff",
    follows="admin_verification",
)
PayoutWritten = written(JudgedPayoutSchema, "payout")


@bp.get("/payments")
@bp.arguments(queries.PAYMENTS_LIST.arguments(AnyPaymentsQuery), location="query")
@bp.response(200, page_of(PaymentSchema, "payments", "AnyPaymentsPage"))
def list_all_payments(query: dict[str, Any]) -> Answer:
    """List everybody's payments, the newest first."""
    return queries.browse_payments(current_user(), **query)


@bp.post("/refunds/<int:refund_id>/accept", money=True)
@bp.response(200, MessageSchema)
def accept_refund_by_hand(refund_id: int) -> Answer:
    """Let what was sent back by hand, at the provider, stand for a refund that waits for it; what is more is refunded
    here too, from the escrow or whoever was paid."""
    service.accept_by_hand(current_user(), refund_id)
    return {"message": "It is being taken over."}


@bp.get("/payouts")
@bp.arguments(queries.PAYOUTS_LIST.arguments(AnyPayoutsQuery), location="query")
@bp.response(200, page_of(JudgedPayoutSchema, "payouts", "AnyPayoutsPage"))
def list_all_payouts(query: dict[str, Any]) -> Answer:
    """List everybody's payouts, the newest first; those `on_hold` wait for a decision."""
    return queries.browse_payouts(current_user(), **query)


@bp.post("/payouts/<int:payout_id>/approve", money=True)
@bp.response(200, PayoutWritten)
def approve_payout(payout_id: int) -> Answer:
    """Let a payout go that was held."""
    return written_answer(
        "payout",
        queries.payout_view(current_user(), payouts_service.approve(current_user(), payout_id)),
        "It may leave.",
    )


@bp.post("/payouts/<int:payout_id>/cancel", money=True)
@bp.response(200, PayoutWritten)
def refuse_payout(payout_id: int) -> Answer:
    """Put the money of a payout that was not sent back into the wallet."""
    return written_answer(
        "payout", queries.payout_view(current_user(), payouts_service.cancel(current_user(), payout_id)), "Cancelled."
    )


@bp.get("/ledger")
@bp.response(200, LedgerSchema)
def show_ledger() -> Answer:
    """Show the books at a glance, and whether payouts are frozen."""
    return queries.ledger()


@bp.get("/ledger/breaks")
@bp.arguments(queries.BREAKS_LIST.arguments(BreaksQuery), location="query")
@bp.response(200, page_of(BreakSchema, "breaks"))
def list_breaks(query: dict[str, Any]) -> Answer:
    """List what does not agree: our books with the provider's, or with themselves."""
    return queries.browse_breaks(**query)
