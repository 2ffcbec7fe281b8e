"""What people chose: channels by kind, quiet hours, digests, browsers, job alerts.

Apart from the rooms: reads and verbs of what people chose, which service.py asks and never changes.
"""

from typing import Any, Protocol

from sqlalchemy import delete, insert, select, update

from marketplace.auth.models import User
from marketplace.core.database.db import execute, fetch, first_as, save
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject
from marketplace.notifications.kinds import CHANNELS, CHOOSABLE, KINDS
from marketplace.notifications.models import DeliverySettings, JobAlert, Preference, PushSubscription
from marketplace.notifications.push.device_name import device_name

MOST_BROWSERS = 20
USUAL_DELIVERY = DeliverySettings(quiet_from=None, quiet_to=None, digest="off")


def choices_of(user_id: int, kind: str) -> dict[str, bool]:
    """Channel → whether it is used for this kind."""
    usual = {channel: channel in KINDS[kind].usual for channel in CHANNELS}
    if KINDS[kind].safety:
        return usual
    own = select(Preference.channel, Preference.is_on).where(Preference.user_id == user_id, Preference.kind == kind)
    return {**usual, **dict(map(tuple, fetch(own)))}


class DeliverySettingsRow(Protocol):
    """A row of notification_habits, or the default."""

    @property
    def quiet_from(self) -> str | None:
        """HH:MM in the person's time zone."""
        ...

    @property
    def quiet_to(self) -> str | None:
        """HH:MM in the person's time zone."""
        ...

    @property
    def digest(self) -> str:
        """off, daily or weekly."""
        ...


def delivery_settings_of(user_id: int) -> DeliverySettingsRow:
    """Quiet hours and digest; the default where nothing was chosen."""
    return (
        first_as(DeliverySettingsRow, select(DeliverySettings.__table__).where(DeliverySettings.user_id == user_id))
        or USUAL_DELIVERY
    )


def of(user: User) -> JsonObject:
    """Every choice as the API shows it."""
    own = select(Preference.kind, Preference.channel, Preference.is_on).where(Preference.user_id == user.id)
    chosen = {(row.kind, row.channel): row.is_on for row in fetch(own)}
    table = {
        kind: {channel: chosen.get((kind, channel), channel in KINDS[kind].usual) for channel in CHANNELS}
        for kind in CHOOSABLE
    }
    settings = delivery_settings_of(user.id)
    quiet = {"from": settings.quiet_from, "to": settings.quiet_to} if settings.quiet_from else None
    place = {"language": user.language, "time_zone": user.time_zone}
    return {"kinds": table, "quiet_hours": quiet, "digest": settings.digest, **place}


def choose(user: User, *, kinds: dict[str, dict[str, bool]] | None = None, **settings: Any) -> JsonObject:
    """Change the choices that were sent; returns all of them."""
    for kind, channels in (kinds or {}).items():
        for channel, is_on in channels.items():
            switch(user.id, kind, channel, is_on)
    if settings:
        _save_delivery_settings(user.id, settings)
    return of(user)


def switch(user_id: int, kind: str, channel: str, is_on: bool) -> None:
    """Turn one kind on one channel on or off."""
    mine = (Preference.user_id == user_id, Preference.kind == kind, Preference.channel == channel)
    if not execute(update(Preference).where(*mine).values(is_on=is_on)):
        execute(insert(Preference), {"user_id": user_id, "kind": kind, "channel": channel, "is_on": is_on})


def stop_mail(user_id: int, kind: str) -> None:
    """Turn mails of this kind off, of every kind for `digest`."""
    for one_kind in [kind] if kind in KINDS else CHOOSABLE:
        switch(user_id, one_kind, "email", is_on=False)


def browsers_of(user_id: int) -> list[int]:
    """The subscriptions of a person's browsers, oldest first."""
    mine = select(PushSubscription.id).where(PushSubscription.user_id == user_id)
    return [row.id for row in fetch(mine.order_by(PushSubscription.id))]


def subscribe_browser(user: User, *, endpoint: str, p256dh: str, auth: str, user_agent: str) -> PushSubscription:
    """Store a browser's subscription; an endpoint that was another account's is this one's now."""
    execute(delete(PushSubscription).where(PushSubscription.endpoint == endpoint))
    extra = browsers_of(user.id)[: -MOST_BROWSERS + 1]
    if extra:
        execute(delete(PushSubscription).where(PushSubscription.id.in_(extra)))
    return save(
        PushSubscription(user_id=user.id, endpoint=endpoint, p256dh=p256dh, auth=auth, user_agent=user_agent[:300])
    )


def unsubscribe_browser(user_id: int, endpoint: str) -> int:
    """Delete a browser's subscription; returns how many there were."""
    mine = (PushSubscription.user_id == user_id, PushSubscription.endpoint == endpoint)
    return execute(delete(PushSubscription).where(*mine))


def browsers(user: User) -> list[JsonObject]:
    """One's browsers as the API shows them."""
    mine = select(PushSubscription.__table__).where(PushSubscription.user_id == user.id)
    rows = fetch(mine.order_by(PushSubscription.id))
    shown = ("id", "endpoint", "user_agent", "created_at")
    return [
        {**{name: getattr(row, name) for name in shown}, "device_name": device_name(row.user_agent)} for row in rows
    ]


def job_alert(user: User) -> JsonObject:
    """One's job alert as the API shows it."""
    rows = fetch(select(JobAlert.__table__).where(JobAlert.user_id == user.id))
    if not rows:
        return {"enabled": False, "radius_km": 10.0, "categories": []}
    return {"enabled": rows[0].enabled, "radius_km": rows[0].radius_km, "categories": rows[0].categories}


def job_alert_answer(user: User) -> JsonObject:
    """The alert bare, and once more under `preferences` with whether there is a place to measure from."""
    alert = job_alert(user)
    return {**alert, "preferences": {**alert, "has_location": user.latitude is not None}}


def set_job_alert(user: User, **changes: Any) -> JsonObject:
    """Change what was sent; raises Invalid (422) for an alert without a place to measure from."""
    if changes.get("enabled") and user.latitude is None:
        raise Invalid.field("enabled", "Put your position into your profile first: alerts are measured from there.")
    wanted = {**job_alert(user), **changes}
    if not execute(update(JobAlert).where(JobAlert.user_id == user.id).values(**wanted)):
        execute(insert(JobAlert), {"user_id": user.id, **wanted})
    return wanted


def _save_delivery_settings(user_id: int, settings: dict[str, Any]) -> None:
    values = {key: value for key, value in settings.items() if key == "digest"}
    if "quiet_hours" in settings:
        quiet = settings["quiet_hours"] or {}
        values |= {"quiet_from": quiet.get("from"), "quiet_to": quiet.get("to")}
    if not execute(update(DeliverySettings).where(DeliverySettings.user_id == user_id).values(**values)):
        execute(insert(DeliverySettings), {"user_id": user_id, "digest": "off", **values})
