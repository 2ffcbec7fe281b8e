"""/api/admin/offerings: everybody's offerings."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.fields import Int
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import MessageSchema, page_of
from marketplace.offerings import queries, service
from marketplace.offerings.admin.schemas import AnyOfferingsQuery
from marketplace.offerings.schemas import OfferingSchema

bp = Blueprint(
    "admin_offerings",
    __name__,
    url_prefix="/api/admin/offerings",
    access=allowed_to(May.MODERATE_CONTENT),
    description="Offerings, for staff",
)


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(AnyOfferingsQuery), location="query")
@bp.response(200, page_of(OfferingSchema, "offerings", "AnyOfferingsPage", totalPages=Int(example=1)))
def list_all_offerings(query: dict[str, Any]) -> Answer:
    """List everybody's offerings, the newest first."""
    return queries.everybodys(current_user(), **query).called("offerings")


@bp.delete("/<int:offering_id>")
@bp.response(200, MessageSchema)
def delete_any_offering(offering_id: int) -> Answer:
    """Delete an offering for good."""
    service.delete(current_user(), offering_id)
    return {"message": "The offering is deleted."}
