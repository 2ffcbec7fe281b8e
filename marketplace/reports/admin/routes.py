"""/api/admin/reports: what people have reported."""

from typing import Any

from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.fields import Int
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import page_of, written
from marketplace.reports import queries, service
from marketplace.reports.schemas import ReportActionSchema, ReportSchema, ReportsQuery

bp = Blueprint(
    "admin_reports",
    __name__,
    url_prefix="/api/admin/reports",
    access=allowed_to(May.MODERATE_CONTENT),
    description="Reports, for staff",
)


@bp.get("")
@bp.arguments(queries.QUEUE.arguments(ReportsQuery), location="query")
@bp.response(200, page_of(ReportSchema, "reports", totalPages=Int(example=1)))
def list_reports(query: dict[str, Any]) -> Answer:
    """List reports, the newest first."""
    return queries.browse(**query)


@bp.post("/<int:report_id>/resolve")
@bp.arguments(ReportActionSchema)
@bp.response(200, written(ReportSchema, "report"))
def resolve_report(data: dict[str, Any], report_id: int) -> Answer:
    """Warn or ban the person, delete what was reported, or dismiss the report."""
    service.resolve(current_user(), report_id, **data)
    return written_answer("report", queries.detail(report_id), "The report is closed.")
