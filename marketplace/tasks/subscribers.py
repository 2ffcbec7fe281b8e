"""What tasks do when an account is closed; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.tasks import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Nothing of a suspended account is on the board; what runs is left to the two and to staff."""
    service.take_down_of(event.user_id)
