"""Ask the provider about subscriptions whose webhooks may have been lost, and end those whose grace is over.

Apart from the rooms: jobs that call the network, never inside a transaction.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import update

from marketplace.core.database.db import execute, in_transaction, release_connection
from marketplace.kit.clock import now
from marketplace.payments.providers.provider import ProviderError
from marketplace.payments.providers.registry import providers
from marketplace.payments.subscriptions import provider_sync, queries, service
from marketplace.payments.subscriptions.lifecycle import SubscriptionStatus
from marketplace.payments.subscriptions.models import Subscription

POLL_AFTER = timedelta(seconds=60)
ASK_DAILY = timedelta(days=1)
UNPAID_FOR = timedelta(days=1)  # a challenge that nobody passed in a day never will be
AT_ONCE = 200
log = structlog.get_logger(__name__)


def ask_about_open() -> int:
    """Poll subscriptions that may have changed without a webhook; returns how many."""
    return sum(_ask(row) for row in queries.unasked(now() - POLL_AFTER, now() - ASK_DAILY, AT_ONCE))


def ask_about_unpaid(user_id: int) -> None:
    """Poll the person's unpaid subscription. Not inside a transaction."""
    row = queries.living_row(user_id)
    release_connection()
    if row is not None and row.status == SubscriptionStatus.INCOMPLETE and row.provider_id is not None:
        _ask(row)


def end_overdue() -> int:
    """End subscriptions past their grace period and those nobody paid; returns how many."""
    late = queries.overdue(now() - UNPAID_FOR, AT_ONCE)
    for subscription_id in late:
        in_transaction(partial(service.end_overdue, subscription_id))
    return len(late)


def _ask(row: Any) -> bool:
    at = providers().get(row.provider)
    if at is None:
        return False
    try:
        state = at.fetch_subscription(row.provider_id)
    except ProviderError as error:
        log.warning("a subscription cannot be asked about", subscription=row.id, error=str(error))
        in_transaction(partial(_asked, row.id))
        return False
    in_transaction(partial(provider_sync.apply_subscription_state, row.id, state))
    return True


def _asked(subscription_id: int) -> None:
    execute(update(Subscription).where(Subscription.id == subscription_id).values(asked_at=now()))
