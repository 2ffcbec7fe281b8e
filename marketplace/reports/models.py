"""What people report to staff."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict
from marketplace.core.database.lifecycle import Stateful
from marketplace.kit.errors import Duplicate
from marketplace.reports.lifecycle import REPORT_LIFECYCLE

WARN, BAN, DELETE_CONTENT, DISMISS = ACTIONS = ("warn", "ban", "delete_content", "dismiss")


class ReportedAlready(Duplicate):
    """409: one report a person and thing."""

    code = "reported_already"
    sentence = "You have reported this already. Staff will look at it."


@answer_conflict("uq_reports_reporter_id_type_target_id", ReportedAlready())
class Report(Stateful, Base):
    """Somebody says that something, or somebody, should not be here; `target_id` is of the kind `type`, and
    `reported_id` whose it is. `action` and `note` are what staff did and said."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("reporter_id", "type", "target_id"),
        Index("ix_reports_reported_id", "reported_id", "id"),
        Index("ix_reports_status", "status", "created_at", "id"),
    )
    lifecycle = REPORT_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reported_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    type: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    action: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(500), default="")
    resolved_by_id: Mapped[int | None]
    resolved_at: Mapped[datetime | None]
