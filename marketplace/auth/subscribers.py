"""What is done after the answer, so that its time does not tell whether there is an account; safe to repeat."""

from marketplace.auth.email import service as email_service
from marketplace.auth.phone import service as phone_service
from marketplace.auth.registrations import service as registrations_service
from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import ConfirmationAsked, PasswordResetAsked, PhoneLoginAsked, RegistrationAsked


@subscribe(PasswordResetAsked)
def send_reset_link(event: PasswordResetAsked) -> None:
    """Mail a link, where somebody has the address."""
    email_service.send_reset(event.email)


@subscribe(ConfirmationAsked)
def send_confirmation_link(event: ConfirmationAsked) -> None:
    """Mail it once more, where an account waits for it."""
    email_service.send_confirmation(event.email)


@subscribe(RegistrationAsked)
def carry_out_registration(event: RegistrationAsked) -> None:
    """Make the account, or mail the owner of the one there is."""
    registrations_service.carry_out(event)


@subscribe(PhoneLoginAsked)
def send_log_in_code(event: PhoneLoginAsked) -> None:
    """Send an SMS, where somebody has confirmed the number."""
    phone_service.send_to_log_in(event.phone)
