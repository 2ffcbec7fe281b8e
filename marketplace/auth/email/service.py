"""Confirming an e-mail address, changing it, and resetting a password: what a link in a mail proves."""

from typing import Any

from sqlalchemy import select, update

from marketplace.auth.client_context import Place
from marketplace.auth.email import tokens
from marketplace.auth.email.tokens import CHANGE_NEW, CHANGE_OLD, RESET, VERIFY
from marketplace.auth.models import User
from marketplace.auth.registrations import service as registrations_service
from marketplace.auth.service import hold, refuse_taken, set_password
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.core.database.db import db, execute
from marketplace.core.ops import audit_log, current_settings
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import ConfirmationAsked, PasswordResetAsked
from marketplace.kit.errors import Invalid
from marketplace.kit.normalization import email_address


def confirm(token: str) -> str:
    """Redeem a link that confirms or changes an address; returns a sentence for the person. Raises Invalid (422),
    EmailTaken (409)."""
    proof = tokens.redeem(token, VERIFY, CHANGE_OLD, CHANGE_NEW)
    if proof.purpose == VERIFY:
        mine = update(User).where(User.id == proof.user_id, User.email == proof.email)
        if not execute(mine.values(email_verified=True)):
            registrations_service.open_waiting(proof.user_id, proof.email)
        return "Your e-mail address is confirmed."
    hold(proof.user_id)  # of both links opened at once, the later one sees the other
    other = tokens.partner_of(proof)
    if other.used_at is None:
        return "Thank you. Now open the link in the letter to your other address."
    return _change(proof if proof.purpose == CHANGE_NEW else other)


def resend(user: User) -> None:
    """Send the confirmation again; nothing where the address is confirmed or `tokens.may_send` says no."""
    if not user.email_verified and tokens.may_send(user.id, VERIFY):
        tokens.void(user.id, VERIFY)
        tokens.issue(user.id, VERIFY, user.email)


def ask_for_confirmation(email: str | None) -> None:
    """Only publish the wish, as `ask_for_reset` does. Raises Invalid (422) without an address."""
    if not email:
        raise Invalid.field("email", "Say which address the letter is to go to.")
    publish(ConfirmationAsked(email=email_address(email)))


def send_confirmation(email: str) -> None:
    """The confirmation once more to whoever has this address and has not confirmed it; those sent before still count,
    so that a stranger who asks ends nobody's."""
    address = email_address(email)
    user = db.session.scalar(select(User).where(User.email == address))
    if user is None:
        if current_settings.switch("REGISTRATION_HIDES_ACCOUNTS"):
            registrations_service.remind(address)
    elif user.is_active and not user.email_verified and tokens.may_send(user.id, VERIFY):
        tokens.issue(user.id, VERIFY, user.email)


def ask_for_reset(email: str) -> None:
    """Only publish the wish: looking the account up here would tell by the time whether there is one."""
    publish(PasswordResetAsked(email=email_address(email)))


def send_reset(email: str) -> None:
    """A link to whoever has this address; nothing where nobody has, or where one was just sent. Those sent
    before still count: a stranger who asks does not end the owner's. Where an account waits for the address to be
    confirmed, that letter is sent once more."""
    address = email_address(email)
    user = db.session.scalar(select(User).where(User.email == address))
    if user is None:
        if current_settings.switch("REGISTRATION_HIDES_ACCOUNTS"):
            registrations_service.remind(address)
    elif user.is_active and tokens.may_send(user.id, RESET):
        tokens.issue(user.id, RESET, user.email)


def reset_password(place: Place, *, token: str, password_hash: str) -> tuple[int, bool]:
    """A new password for whoever reads the mailbox; every sign-in ends. Returns whose it is, and whether the
    address was confirmed before. Raises Invalid (422)."""
    proof = tokens.redeem(token, RESET)
    user = db.session.scalar(select(User).where(User.id == proof.user_id, User.is_active))
    if user is None:
        raise Invalid.field("token", tokens.TOO_LATE)
    was_confirmed = user.email_verified
    set_password(user, password_hash, kept=None)
    user.email_verified = was_confirmed or user.email == proof.email
    tokens.void(user.id, RESET)
    sign_in_risk_service.note(sign_in_risk_service.RESET, user.id, place)
    audit_log.record("password.reset", "user", user.id, actor_id=user.id)
    return user.id, was_confirmed


def ask_for_change(user: User, *, email: str) -> None:
    """Letters to both addresses; it changes when both are confirmed. Raises EmailTaken (409)."""
    if not current_settings.switch("REGISTRATION_HIDES_ACCOUNTS"):  # there, whoever opens the second letter learns it
        refuse_taken(email)
    tokens.void(user.id, CHANGE_OLD, CHANGE_NEW)
    old = tokens.issue(user.id, CHANGE_OLD, user.email)
    tokens.issue(user.id, CHANGE_NEW, email_address(email), partner_id=old.id)


def _change(new: Any) -> str:
    user_id, email = new.user_id, new.email
    refuse_taken(email)
    execute(update(User).where(User.id == user_id).values(email=email, email_verified=True))
    tokens.void(user_id, VERIFY, RESET)
    audit_log.record("email.changed", "user", user_id, actor_id=user_id)
    return "Your e-mail address is changed."
