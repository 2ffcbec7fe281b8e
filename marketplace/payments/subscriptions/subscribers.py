"""What subscriptions do when an account is closed; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountErased, AccountSuspended
from marketplace.payments.subscriptions import service


@subscribe(AccountErased)
def end_at_once(event: AccountErased) -> None:
    """Nobody is there who could pay or enjoy it."""
    service.stop_of(event.user_id, at_once=True)


@subscribe(AccountSuspended)
def renew_no_more(event: AccountSuspended) -> None:
    """What one cannot use is not paid for again."""
    service.stop_of(event.user_id, at_once=False)
