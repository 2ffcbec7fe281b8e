"""Registering where REGISTRATION_HIDES_ACCOUNTS is on: nobody learns from it whether an address has an account.

The request does the same for every address: it writes down what was asked. What becomes of it is decided later, and
in both cases the name is taken and one account that nobody sees is made: for a new address it opens by the link in its
letter, for a known one never, and the owner gets a letter instead.
"""

import secrets
from typing import Any

from sqlalchemy import select, update

from marketplace.auth import mail_tokens
from marketplace.auth.models import User
from marketplace.auth.service import why_unavailable
from marketplace.core.db import db, execute, save
from marketplace.core.outbox import publish
from marketplace.events.auth import RegistrationAsked, RegistrationRepeated, UserRegistered
from marketplace.kit.normalization import email_address

NOBODY = "nobody.invalid"  # RFC 2606: no letter gets there
FITS_NOTHING = "!"


def carry_out(asked: RegistrationAsked) -> None:
    """Make the account, or tell the owner of the one there is. Told again it finds the name taken, and does nothing."""
    if why_unavailable(asked.username):
        return
    known = db.session.scalar(select(User).where(User.email == email_address(asked.email)))
    if known is None:
        _make_waiting(asked)
        return
    stand_in = _save(asked.username, email=f"{secrets.token_hex(12)}@{NOBODY}", password_hash=FITS_NOTHING)
    if known.is_active:
        publish(RegistrationRepeated(user_id=known.id, stand_in_id=stand_in.id))
    elif is_waiting(known) and mail_tokens.may_send(known.id, mail_tokens.VERIFY):
        mail_tokens.issue(known, mail_tokens.VERIFY, known.email)


def open_waiting(user_id: int) -> None:
    """The address is confirmed: an account that waited for it is one like any other from now on."""
    waiting = update(User).where(User.id == user_id, User.is_active.is_(False), User.email_verified)
    mine = waiting.where(User.suspended_at.is_(None), User.erased_at.is_(None))
    if execute(mine.values(is_active=True)):
        publish(UserRegistered(user_id=user_id))


def is_waiting(user: User) -> bool:
    """Neither open nor closed: its address is not confirmed yet."""
    return not (user.is_active or user.suspended_at or user.erased_at or user.email_verified)


def _make_waiting(asked: RegistrationAsked) -> None:
    profile = {"first_name": asked.first_name, "last_name": asked.last_name, "phone": asked.phone or None}
    user = _save(asked.username, email=email_address(asked.email), password_hash=asked.password_hash, **profile)
    mail_tokens.issue(user, mail_tokens.VERIFY, user.email)


def _save(username: str, **columns: Any) -> User:
    return save(User(username=username, username_key=username.lower(), is_active=False, **columns))
