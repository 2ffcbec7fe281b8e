"""What the clock does to listings."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from marketplace.core.db import in_transaction
from marketplace.core.jobs import Run, job
from marketplace.listings import queries, service

AT_ONCE = 200


@job("expire_listings", timeout=300, every=timedelta(minutes=1))
def expire_listings(run: Run) -> None:
    """Listings whose time is over."""
    _each(queries.due_to_expire, service.expire)


@job("remind_sellers", timeout=300, every=timedelta(hours=1))
def remind_sellers(run: Run) -> None:
    """Listings whose time is over soon."""
    _each(queries.due_for_reminder, service.remind)


def _each(due: Callable[..., Any], end: Callable[[int], None]) -> None:
    """One transaction a listing: one that cannot be moved does not hold up the others."""
    for listing_id in due(batch=AT_ONCE):
        in_transaction(lambda listing_id=listing_id: end(listing_id))  # type: ignore[misc]
