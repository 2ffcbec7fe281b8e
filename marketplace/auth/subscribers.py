"""What accounts do later, so that nobody can tell by the time whether there is one; safe to repeat."""

from marketplace.auth import mailbox
from marketplace.auth.phone import service as phone
from marketplace.core.outbox import subscribe
from marketplace.events.auth import PasswordResetAsked, PhoneLoginAsked


@subscribe(PasswordResetAsked)
def send_reset_link(event: PasswordResetAsked) -> None:
    """To whoever has this address, if anybody."""
    mailbox.send_reset(event.email)


@subscribe(PhoneLoginAsked)
def send_log_in_code(event: PhoneLoginAsked) -> None:
    """To whoever has confirmed this number, if anybody."""
    phone.send_to_log_in(event.phone)
