"""The one clock: UTC, aware."""

from datetime import UTC, datetime, tzinfo


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def as_utc(moment: datetime, zone: tzinfo = UTC) -> datetime:
    """A moment in UTC; one without a zone is taken as local to `zone`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)
