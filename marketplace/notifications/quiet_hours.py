"""Quiet hours and hours of digests in a person's time zone.

Apart from the rooms: arithmetic of hours in time zones, without tables.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DAILY_HOUR = 8


def end_of_quiet(moment: datetime, zone: ZoneInfo, quiet_from: str | None, quiet_to: str | None) -> datetime:
    """When the quiet hours end that `moment` lies in, else `moment` itself; they may cross midnight."""
    if not quiet_from or not quiet_to or quiet_from == quiet_to:
        return moment
    local, start, end = moment.astimezone(zone), time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)
    clock = local.time().replace(tzinfo=None)
    over_midnight = start > end
    is_quiet = (clock >= start or clock < end) if over_midnight else start <= clock < end
    if not is_quiet:
        return moment
    day = local.date() + timedelta(days=1 if over_midnight and clock >= start else 0)
    return max(datetime.combine(day, end, zone).astimezone(moment.tzinfo), moment)


def digest_period(moment: datetime, zone: ZoneInfo, digest: str) -> str | None:
    """The name of the period whose digest is due now; None where none is."""
    local = moment.astimezone(zone)
    if digest == "hourly":
        return f"{moment:%Y-%m-%dT%H}"
    if digest == "daily" and local.hour >= DAILY_HOUR:
        return f"{local:%Y-%m-%d}"
    return None
