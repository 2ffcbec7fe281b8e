"""States of a report, and who moves it."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class ReportStatus(StrEnum):
    """`dismissed`: nothing was wrong."""

    PENDING = "pending"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


STAFF = {"moderator", "admin"}
REQUEST = "POST /api/admin/reports/{id}/resolve"
REPORT_LIFECYCLE = Lifecycle.table(
    "report",
    ReportStatus.PENDING,
    requests={"resolve": REQUEST, "dismiss": REQUEST},
    resolve=move(ReportStatus.PENDING, to=ReportStatus.RESOLVED, by=STAFF),
    dismiss=move(ReportStatus.PENDING, to=ReportStatus.DISMISSED, by=STAFF),
)
