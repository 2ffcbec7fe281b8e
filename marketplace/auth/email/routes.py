"""/api/auth/email and /api/auth/password: confirming an address, changing it, resetting a password."""

from typing import Any

from marketplace.auth.client_context import here
from marketplace.auth.email import service
from marketplace.auth.passwords import service as passwords_service
from marketplace.auth.schemas import EmailChangeSchema, EmailSchema, MailTokenSchema, NewPasswordSchema, ResendSchema
from marketplace.core.http.access import ANYONE, NEWCOMER, PROVED_TWICE, current_user, viewer
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.rate_limits import sign_in_limit
from marketplace.core.http.schemas import MessageSchema

bp = Blueprint("mailbox", __name__, url_prefix="/api/auth", description="Addresses and forgotten passwords")
ON_ITS_WAY = "If there is an account with this address, a letter is on its way to it."
PERHAPS_CONFIRMED = "If an account waits for this address to be confirmed, a letter is on its way to it."


@bp.post("/email/verify", access=NEWCOMER)
@sign_in_limit
@bp.arguments(MailTokenSchema)
@bp.response(200, MessageSchema)
def verify_email(data: dict[str, Any]) -> Answer:
    """Confirm an address by the token of a letter."""
    return {"message": service.confirm(data["token"])}


@bp.post("/email/resend", access=ANYONE)
@sign_in_limit
@bp.arguments(ResendSchema)
@bp.response(200, MessageSchema)
def resend_verification(data: dict[str, Any]) -> Answer:
    """Send the letter that confirms an address once more: mine, else the one that is sent, if an account waits for
    it."""
    person = viewer()
    if person is None:
        service.ask_for_confirmation(data.get("email"))
        return {"message": PERHAPS_CONFIRMED}
    service.resend(person)
    return {"message": "The letter is on its way."}


@bp.post("/email/change", access=PROVED_TWICE, transaction=False)
@sign_in_limit
@bp.arguments(EmailChangeSchema)
@bp.response(200, MessageSchema)
def change_email(data: dict[str, Any]) -> Answer:
    """Ask for another address; it changes when links in letters to both are opened."""
    passwords_service.ask_for_email_change(current_user(), **data)
    return {"message": "Open the links in the letters to your present and to your new address."}


@bp.post("/password/forgot", access=NEWCOMER)
@sign_in_limit
@bp.arguments(EmailSchema)
@bp.response(200, MessageSchema)
def forgot_password(data: dict[str, Any]) -> Answer:
    """Ask for a letter with a link to a new password."""
    service.ask_for_reset(data["email"])
    return {"message": ON_ITS_WAY}


@bp.post("/password/reset", access=NEWCOMER, transaction=False)
@sign_in_limit
@bp.arguments(NewPasswordSchema)
@bp.response(200, MessageSchema)
def reset_password(data: dict[str, Any]) -> Answer:
    """Set a new password by the token of a letter; every sign-in ends."""
    passwords_service.reset(here(), **data)
    return {"message": "Your password is changed. Please sign in."}


@bp.post("/forgot-password", access=NEWCOMER)
@sign_in_limit
@bp.arguments(EmailSchema)
@bp.response(200, MessageSchema)
def forgot_password_alias(data: dict[str, Any]) -> Answer:
    """The same under the address some clients use."""
    service.ask_for_reset(data["email"])
    return {"message": ON_ITS_WAY}


@bp.post("/reset-password", access=NEWCOMER, transaction=False)
@sign_in_limit
@bp.arguments(NewPasswordSchema)
@bp.response(200, MessageSchema)
def reset_password_alias(data: dict[str, Any]) -> Answer:
    """The same under the address some clients use."""
    passwords_service.reset(here(), **data)
    return {"message": "Your password is changed. Please sign in."}
