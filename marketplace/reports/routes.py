"""/api/reports: telling staff of what should not be here."""

from typing import Any

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.reports import service
from marketplace.reports.schemas import ReportedSchema, ReportInputSchema

bp = Blueprint("reports", __name__, url_prefix="/api/reports", access=SIGNED_IN, description="Telling staff")


@bp.post("")
@bp.arguments(ReportInputSchema)
@bp.response(201, ReportedSchema)
def report_something(data: dict[str, Any]) -> Answer:
    """Report a person, or something that somebody put up."""
    report = service.report(current_user(), **data)
    return {"message": "Thank you. Staff will look at it.", "id": report.id}
