"""Notify people once, by the channels they chose, outside their quiet hours."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update

from marketplace.auth import queries as auth_queries
from marketplace.auth.models import User
from marketplace.core.database.db import after_commit, execute, fetch, one, save
from marketplace.core.queues.work_queue import table_of, wake
from marketplace.core.realtime import connections
from marketplace.kit.clock import now
from marketplace.notifications import preferences, queries, renderer
from marketplace.notifications.kinds import KINDS
from marketplace.notifications.models import Delivery, Notification
from marketplace.notifications.quiet_hours import end_of_quiet

DELIVERIES = table_of(Delivery)
OUTWARD = ("email", "push", "sms")


def notify_once(
    user_id: int,
    kind: str,
    key: str,
    *,
    related_id: int | None,
    related_type: str | None = None,
    named_id: int | None = None,
    **data: Any,
) -> int | None:
    """Notify a person of an event; `key` names it, and a second time changes nothing. It is about what its kind says,
    unless there is a `related_type`; a `path` in the data is where it leads.

    Returns the notification's id, None where it was told before or the account cannot be reached.
    Raises renderer.MissingText where a text lacks one of its values.
    """
    key = f"{kind}:{key}"
    told = select(Notification.id).where(Notification.user_id == user_id, Notification.key == key)
    user = auth_queries.reachable(user_id, closed=KINDS[kind].closed)
    if user is None or fetch(told):
        return None
    choices = preferences.choices_of(user_id, kind)
    words = renderer.words(kind, user.language, data)
    settings = preferences.delivery_settings_of(user_id)
    waits = settings.digest != "off" and KINDS[kind].may_wait and choices["email"]
    notification = save(
        Notification(
            user_id=user_id,
            type=kind,
            key=key,
            title=words.title,
            message=words.message,
            data=data,
            related_type=related_type or KINDS[kind].about,
            related_id=related_id,
            named_id=named_id,
            is_silent=not choices["in_app"],
            for_digest=waits,
        )
    )
    if not notification.is_silent:
        shown = queries.view(notification)
        after_commit(lambda: connections.tell([user_id], "notification", {"notification": shown}))
    wanted = [channel for channel in OUTWARD if choices[channel] and not (channel == "email" and waits)]
    send(user, kind, f"notification:{notification.id}", wanted, related_id=related_id, named_id=named_id, data=data)
    return notification.id


def send(
    user: Any,
    kind: str,
    key: str,
    channels: Iterable[str],
    *,
    related_id: int | None,
    data: dict[str, Any],
    named_id: int | None = None,
) -> None:
    """Add one delivery per channel (per browser for push); one with a known key exists already."""
    due = now()
    if not _is_essential(kind):
        settings = preferences.delivery_settings_of(user.id)
        due = end_of_quiet(due, ZoneInfo(user.time_zone), settings.quiet_from, settings.quiet_to)
    about = {"related_id": related_id, "named_id": named_id, "data": data}
    common = {"user_id": user.id, "kind": kind, **about, "due_at": due}
    for channel in channels:
        for subscription_id in [None] if _is_essential(kind) else _ways(user, channel):
            name = f"{key}:{channel}:{subscription_id or ''}"
            if not fetch(select(DELIVERIES.c.id).where(DELIVERIES.c.key == name)):
                way = {"channel": channel, "key": name, "subscription_id": subscription_id}
                execute(insert(DELIVERIES), {**common, **way, "created_at": now(), "attempts": 0})
    after_commit(wake)


def mark_read(user: User, ids: Iterable[int] | None = None) -> int:
    """Mark these (all, unless named) as read; returns how many were new."""
    mine = update(Notification).where(Notification.user_id == user.id, Notification.read_at.is_(None))
    chosen = mine if ids is None else mine.where(Notification.id.in_(list(ids)))
    return execute(chosen.values(read_at=now()))


def read(user: User, notification_id: int) -> Notification:
    """Mark one of one's own as read; raises NotFound."""
    notification = find(user, notification_id)
    notification.read_at = notification.read_at or now()
    return save(notification)


def remove(user: User, notification_id: int) -> None:
    """Hide one of one's own; raises NotFound. The row stays, so that it is never told again."""
    notification = find(user, notification_id)
    notification.is_silent, notification.for_digest = True, False
    notification.read_at = notification.read_at or now()
    save(notification)


def find(user: User, notification_id: int) -> Notification:
    """One of one's own that is not hidden; raises NotFound."""
    mine = select(Notification).where(Notification.user_id == user.id, Notification.is_silent.is_(False))
    return one(mine.where(Notification.id == notification_id), "notification")


def gather_digest(user_id: int, period: str, most: int = 50) -> bool:
    """Send one mail with all that waits for a digest, at most one a period; returns whether there was anything."""
    waiting = select(Notification.__table__).where(Notification.user_id == user_id, Notification.for_digest)
    rows = fetch(waiting.order_by(Notification.id).limit(most))
    user = auth_queries.reachable(user_id)
    if user is None or not rows or _has_digest(user_id, period):
        return False
    execute(update(Notification).where(Notification.id.in_([row.id for row in rows])).values(for_digest=False))
    items = [{"kind": row.type, "data": row.data, "related_id": row.related_id} for row in rows]
    send(user, "digest", _digest_key(user_id, period), ["email"], related_id=None, data={"items": items})
    return True


def forget(before: Any, batch: int = 500) -> int:
    """Delete a batch of notifications older than `before`, read or not; returns how many."""
    old = [row.id for row in fetch(select(Notification.id).where(Notification.created_at < before).limit(batch))]
    execute(delete(Delivery).where(Delivery.done_at < before))
    return execute(delete(Notification).where(Notification.id.in_(old))) if old else 0


def _is_essential(kind: str) -> bool:
    return kind in KINDS and KINDS[kind].essential


def _ways(user: Any, channel: str) -> list[int | None]:
    """Ids of push subscriptions; for other channels [None], or nothing without a verified number."""
    if channel == "push":
        return list(preferences.browsers_of(user.id))
    if channel == "sms":
        return [None] if user.phone and user.phone_verified else []
    return [None]


def _digest_key(user_id: int, period: str) -> str:
    return f"digest:{user_id}:{period}"


def _has_digest(user_id: int, period: str) -> bool:
    return bool(fetch(select(DELIVERIES.c.id).where(DELIVERIES.c.key == f"{_digest_key(user_id, period)}:email:")))


def forget_digests_of(user_id: int) -> None:
    """Delete digests to who was told of an erased person: a digest repeats many people's words, so its `named_id` names
    none."""
    readers = select(Notification.user_id).where(Notification.named_id == user_id)
    execute(delete(DELIVERIES).where(Delivery.kind == "digest", Delivery.user_id.in_(readers)))
