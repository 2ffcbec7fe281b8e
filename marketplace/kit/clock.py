"""The one clock: UTC, aware."""

from datetime import UTC, datetime, tzinfo


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def as_utc(moment: datetime, zone: tzinfo = UTC) -> datetime:
    """A moment in UTC; one without a zone is taken as local to `zone`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a Z, to the microsecond; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
