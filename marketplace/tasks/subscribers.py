"""Tasks listen to accounts; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.tasks import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Cancel a suspended account's open tasks; running ones are left to both sides and staff."""
    service.take_down_of(event.user_id)
