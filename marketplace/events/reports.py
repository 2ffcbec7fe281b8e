"""What becomes of what people report."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResolved(Event):
    """Staff looked at a report and did something: warn, ban or delete_content."""

    report_id: int
    reported_id: int
    action: str
