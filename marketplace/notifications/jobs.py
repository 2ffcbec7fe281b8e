"""Periodic and delayed jobs of notifications."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, in_transaction
from marketplace.core.queues.jobs import Run, job
from marketplace.kit.clock import now
from marketplace.notifications import notification_builder, service
from marketplace.notifications.models import DeliverySettings, Notification
from marketplace.notifications.quiet_hours import digest_period

KEPT = timedelta(days=180)
AT_ONCE = 100


@job("alert_nearby", timeout=600)
def alert_nearby(run: Run, task_id: int) -> None:
    """Tell people with a job alert around the new task."""
    after = 0
    while found := notification_builder.nearby(task_id, after, AT_ONCE):
        for user_id, km in found:
            if km is not None:
                in_transaction(partial(notification_builder.of_new_task, user_id, task_id, km))
        after = found[-1][0]


@job("tell_of_message")
def tell_of_message(run: Run, user_id: int, **message: int) -> None:
    """Run a minute after a message, for people who were online: notify them if it is still unread."""
    in_transaction(lambda: notification_builder.of_unread_message(user_id, **message))


@job("send_digests", timeout=300, every=timedelta(minutes=5))
def send_digests(run: Run) -> None:
    """Send the digest mails whose period begins."""
    waiting = select(Notification.user_id).where(Notification.for_digest).distinct()
    readers = select(User.id, User.time_zone, DeliverySettings.digest).join(
        DeliverySettings, DeliverySettings.user_id == User.id
    )
    moment = now()
    for row in fetch(readers.where(User.id.in_(waiting)).order_by(User.id)):
        period = digest_period(moment, ZoneInfo(row.time_zone), row.digest)
        if period is not None:
            in_transaction(partial(service.gather_digest, row.id, period))


@job("forget_notifications", timeout=600, every=timedelta(days=1))
def forget_notifications(run: Run) -> None:
    """Delete notifications older than half a year."""
    before = now() - KEPT
    while in_transaction(lambda: service.forget(before)):
        run.progress(0, 0)
