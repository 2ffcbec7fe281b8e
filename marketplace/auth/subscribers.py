"""What accounts do later, so that nobody can tell by the time whether there is one; safe to repeat."""

from marketplace.auth import mailbox, registrations
from marketplace.auth.phone import service as phone
from marketplace.core.outbox import subscribe
from marketplace.events.auth import PasswordResetAsked, PhoneLoginAsked, RegistrationAsked


@subscribe(PasswordResetAsked)
def send_reset_link(event: PasswordResetAsked) -> None:
    """To whoever has this address, if anybody."""
    mailbox.send_reset(event.email)


@subscribe(RegistrationAsked)
def carry_out_registration(event: RegistrationAsked) -> None:
    """An account, or a letter to the owner of the one there is."""
    registrations.carry_out(event)


@subscribe(PhoneLoginAsked)
def send_log_in_code(event: PhoneLoginAsked) -> None:
    """To whoever has confirmed this number, if anybody."""
    phone.send_to_log_in(event.phone)
