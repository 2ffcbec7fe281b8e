"""What offerings do when an account is closed; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.offerings import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Nothing of a suspended account is on offer."""
    service.take_down_of(event.user_id)
