"""What accounts do later, so that nobody can tell by the time whether there is one; safe to repeat."""

from marketplace.auth import mailbox
from marketplace.core.outbox import subscribe
from marketplace.events.auth import PasswordResetAsked


@subscribe(PasswordResetAsked)
def send_reset_link(event: PasswordResetAsked) -> None:
    """To whoever has this address, if anybody."""
    mailbox.send_reset(event.email)
