"""/api/admin/chargebacks: what banks dispute, for staff who run the money."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written
from marketplace.payments.chargebacks import queries, service
from marketplace.payments.chargebacks.schemas import (
    ChargebackDetailSchema,
    ChargebackEvidenceInputSchema,
    ChargebackSchema,
    ChargebacksQuery,
)

bp = Blueprint(
    "admin_chargebacks",
    __name__,
    url_prefix="/api/admin/chargebacks",
    access=allowed_to(May.RUN_MONEY),
    description="What payers' banks dispute, for staff",
    follows="admin_money",
)
ChargebackWritten = written(ChargebackDetailSchema, "chargeback")


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(ChargebacksQuery), location="query")
@bp.response(200, page_of(ChargebackSchema, "chargebacks"))
def list_chargebacks(query: dict[str, Any]) -> Answer:
    """List chargebacks, the newest first; `open` ones can be answered until `evidence_due_at`."""
    return queries.browse(**query)


@bp.get("/<int:chargeback_id>")
@bp.response(200, ChargebackDetailSchema)
def show_chargeback(chargeback_id: int) -> Answer:
    """Show one, with the deals it is about."""
    return queries.detail(current_user(), chargeback_id)


@bp.post("/<int:chargeback_id>/evidence", money=True)
@bp.arguments(ChargebackEvidenceInputSchema)
@bp.response(200, ChargebackWritten)
def answer_chargeback(data: dict[str, Any], chargeback_id: int) -> Answer:
    """Answer it: the text is sent to the payer's bank by the provider."""
    service.answer(current_user(), chargeback_id, **data)
    return written_answer("chargeback", queries.detail(current_user(), chargeback_id), "It is on its way to the bank.")
