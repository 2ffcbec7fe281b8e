"""Periodic jobs of listings."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job, one_by_one
from marketplace.listings import queries, service


@job("expire_listings", timeout=300, every=timedelta(minutes=1))
def expire_listings(run: Run) -> None:
    """Expire listings past `expires_at`."""
    one_by_one(queries.EXPIRY.ids, service.expire)


@job("remind_sellers", timeout=300, every=timedelta(hours=1))
def remind_sellers(run: Run) -> None:
    """Announce listings that expire within days."""
    one_by_one(queries.REMINDER.ids, service.remind)
