"""Subscriptions listen to accounts; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountErased, AccountSuspended
from marketplace.payments.subscriptions import service


@subscribe(AccountErased)
def end_at_once(event: AccountErased) -> None:
    """End an erased account's subscription now."""
    service.stop_of(event.user_id, at_once=True)


@subscribe(AccountSuspended)
def renew_no_more(event: AccountSuspended) -> None:
    """End a suspended account's subscription after its paid period."""
    service.stop_of(event.user_id, at_once=False)
