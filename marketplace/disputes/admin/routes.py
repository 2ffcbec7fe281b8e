"""/api/admin/disputes: what waits for a decision."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of
from marketplace.disputes import queries
from marketplace.disputes.schemas import DisputeSchema, DisputesQuery

bp = Blueprint(
    "admin_disputes",
    __name__,
    url_prefix="/api/admin/disputes",
    access=allowed_to(May.DECIDE_DISPUTES),
    description="Disputes, for staff",
    follows="admin_chargebacks",
)


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(DisputesQuery), location="query")
@bp.response(200, page_of(DisputeSchema, "disputes"))
def list_waiting_disputes(query: dict[str, Any]) -> Answer:
    """List disputes that wait for staff, or those in one state, the oldest first."""
    return queries.queue(current_user(), **query)
