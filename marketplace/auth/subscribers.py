"""What accounts do later, so that nobody can tell by the time whether there is one; safe to repeat."""

from marketplace.auth.email import service as email_service
from marketplace.auth.phone import service as phone_service
from marketplace.auth.registrations import service as registrations_service
from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import PasswordResetAsked, PhoneLoginAsked, RegistrationAsked


@subscribe(PasswordResetAsked)
def send_reset_link(event: PasswordResetAsked) -> None:
    """To whoever has this address, if anybody."""
    email_service.send_reset(event.email)


@subscribe(RegistrationAsked)
def carry_out_registration(event: RegistrationAsked) -> None:
    """An account, or a letter to the owner of the one there is."""
    registrations_service.carry_out(event)


@subscribe(PhoneLoginAsked)
def send_log_in_code(event: PhoneLoginAsked) -> None:
    """To whoever has confirmed this number, if anybody."""
    phone_service.send_to_log_in(event.phone)
