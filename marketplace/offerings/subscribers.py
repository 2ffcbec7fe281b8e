"""Offerings listen to accounts; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.offerings import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Pause a suspended account's offerings."""
    service.take_down_of(event.user_id)
