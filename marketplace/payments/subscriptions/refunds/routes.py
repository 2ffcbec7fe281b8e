"""/api/admin/invoices: what was paid for plans, and giving it back, for staff who run the money."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written
from marketplace.payments.subscriptions.refunds import queries, service
from marketplace.payments.subscriptions.refunds.schemas import InvoiceRefundInputSchema, InvoiceSchema, InvoicesQuery

bp = Blueprint(
    "admin_invoices",
    __name__,
    url_prefix="/api/admin/invoices",
    access=allowed_to(May.RUN_MONEY),
    description="What was paid for plans, for staff",
    follows="subscription",
)


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(InvoicesQuery), location="query")
@bp.response(200, page_of(InvoiceSchema, "invoices"))
def list_invoices(query: dict[str, Any]) -> Answer:
    """List what was paid for plans, the newest first, and what of it went back."""
    return queries.browse(**query)


@bp.get("/<int:invoice_id>")
@bp.response(200, InvoiceSchema)
def show_invoice(invoice_id: int) -> Answer:
    """Show what was paid for a plan once, and what of it went back."""
    return queries.detail(current_user(), invoice_id)


@bp.post("/<int:invoice_id>/refund", money=True)
@bp.arguments(InvoiceRefundInputSchema)
@bp.response(200, written(InvoiceSchema, "invoice"))
def refund_invoice(data: dict[str, Any], invoice_id: int) -> Answer:
    """Give (a part of) what was paid for a plan back to its payer. The plan goes on, unless `end_plan` says so."""
    service.refund(current_user(), invoice_id, **data)
    return written_answer("invoice", queries.detail(current_user(), invoice_id), "It is on its way back.")
