"""/api/payments: paying, history, receipts, refunds. (A payment for a task begins in tasks/payments/routes.py.)"""

from typing import Any

from flask import request
from marshmallow import fields

from marketplace.core.http.access import ANYONE, NEWCOMER, SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.rate_limits import webhook_limit
from marketplace.core.http.schemas import MessageSchema, page_of, written
from marketplace.payments import queries, service
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.registry import providers
from marketplace.payments.receipts import formats
from marketplace.payments.schemas import (
    ConfigSchema,
    ConfirmSchema,
    PaymentDetailSchema,
    PaymentSchema,
    PaymentsQuery,
    PaymentTransactionSchema,
    ReceiptQuery,
    ShareRefundSchema,
)
from marketplace.payments.webhooks import service as webhooks_service

bp = Blueprint("payments", __name__, url_prefix="/api/payments", area="payments", description="Paying and being paid")
SIGNED = {"schema": {"type": "object"}, "example": {"id": "evt_1", "type": "payment_intent.succeeded"}}
PaymentsPage = page_of(PaymentSchema, "payments")
TransactionsPage = page_of(
    PaymentSchema,
    "payments",
    "PaymentTransactionsPage",
    transactions=fields.List(fields.Nested(PaymentTransactionSchema), required=True),
)
PaymentWritten = written(PaymentDetailSchema, "payment")


@bp.get("/config", access=ANYONE)
@bp.response(200, ConfigSchema)
def show_payment_config() -> Answer:
    """Show what a front end needs to take payments."""
    keys = [provider.public_key() for provider in providers().values()]
    percent = float(service.fee_rules().standard.percent)
    return {"publishable_key": "".join(keys[:1]), "platform_fee_percent": percent, "providers": list(providers())}


@bp.get("", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(PaymentsQuery), location="query")
@bp.response(200, PaymentsPage)
def list_payments(query: dict[str, Any]) -> Answer:
    """List what I pay and am paid, the newest first."""
    return queries.of(current_user(), **query)


@bp.get("/transactions", access=SIGNED_IN)
@bp.arguments(queries.BROWSE.arguments(PaymentsQuery), location="query")
@bp.response(200, TransactionsPage)
def list_transactions(query: dict[str, Any]) -> Answer:
    """List what I pay and am paid (another name for GET /payments), as `transactions` too."""
    return queries.transactions(current_user(), **query)


@bp.get("/transactions/<int:payment_id>", access=SIGNED_IN)
@bp.response(200, PaymentTransactionSchema)
def show_transaction(payment_id: int) -> Answer:
    """Show one payment of mine as a transaction."""
    return queries.transaction(queries.detail(current_user(), payment_id))


@bp.get("/<int:payment_id>", access=SIGNED_IN)
@bp.response(200, PaymentDetailSchema)
def show_payment(payment_id: int) -> Answer:
    """Show one payment of mine."""
    return queries.detail(current_user(), payment_id)


@bp.post("/<int:payment_id>/confirm", access=SIGNED_IN, transaction=False, money=True)
@bp.arguments(ConfirmSchema)
@bp.response(200, PaymentWritten)
def confirm_payment(data: dict[str, Any], payment_id: int) -> Answer:
    """Pay: by a method, or after the payer has done at the provider what it wanted."""
    provider_requests_handlers.at_once("payment", lambda: service.confirm(current_user(), payment_id, **data).id)
    payment = queries.detail(current_user(), payment_id)
    return written_answer("payment", payment, queries.said_of(payment))


@bp.post("/<int:payment_id>/refund", access=SIGNED_IN, money=True)
@bp.arguments(ShareRefundSchema)
@bp.response(200, PaymentWritten)
def refund_payment(data: dict[str, Any], payment_id: int) -> Answer:
    """Give back what I was paid, all or a part; staff who run the money may too."""
    service.refund(current_user(), payment_id, **data)
    return written_answer("payment", queries.detail(current_user(), payment_id), "The money is on its way back.")


@bp.get("/<int:payment_id>/receipt", access=SIGNED_IN)
@bp.arguments(ReceiptQuery, location="query")
@bp.sends_bytes("application/pdf", "text/html")
def show_receipt(query: dict[str, Any], payment_id: int) -> Answer:
    """Send the receipt as a PDF, or as a page where `Accept` or `format` says so."""
    receipt = queries.receipt_of(current_user(), payment_id, query.pop("number", None))
    return formats.as_asked(receipt, current_user(), **query)


@bp.post("/webhooks/<provider>", access=NEWCOMER, transaction=False)
@webhook_limit
@bp.doc(requestBody={"required": True, "content": {"application/json": SIGNED}})
@bp.response(200, MessageSchema)
def receive_webhook(provider: str) -> Answer:
    """Take what a provider has to tell; its signature is checked, and the thing is asked for before it counts."""
    webhooks_service.receive(provider, dict(request.headers), request.get_data())
    return {"message": "Thank you."}
