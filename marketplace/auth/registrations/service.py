"""Registering where REGISTRATION_HIDES_ACCOUNTS is on: nobody learns from it whether an address has an account.

The request does the same for every address: it writes down what was asked. What becomes of it is decided later, and in
both cases the name is taken and one account that nobody sees is made. Where the address is nobody's yet it waits with
the password and the profile of its own request, and only the letter of that request opens it: whoever names an address
first has no claim to it. Where the address has an account it never opens, and the owner gets a letter instead.
"""

import secrets
from typing import Any

from sqlalchemy import Select, select, update

from marketplace.auth.email import tokens as email_tokens
from marketplace.auth.models import MailToken, User
from marketplace.auth.service import refuse_taken, why_unavailable
from marketplace.core.database.db import db, execute, fetch, save
from marketplace.core.http import signing
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import RegistrationAsked, RegistrationRepeated, UserRegistered
from marketplace.kit.normalization import email_address

NOBODY = "nobody.invalid"  # RFC 2606: no letter gets there
FITS_NOTHING = "!"


def carry_out(asked: RegistrationAsked) -> None:
    """Make the account, or tell the owner of the one there is. Run again it finds the username taken, and does
    nothing."""
    if why_unavailable(asked.username):
        return
    address = email_address(asked.email)
    known = db.session.scalar(select(User).where(User.email == address))
    if known is None:
        _make_waiting(asked, address)
        return
    stand_in = _save(asked.username, address, password_hash=FITS_NOTHING)
    if known.is_active:
        publish(RegistrationRepeated(user_id=known.id, stand_in_id=stand_in.id))


def open_waiting(user_id: int, address: str) -> None:
    """The letter of its own request was opened: the account is one like any other from now on, and the others that
    waited for the address never open. Raises EmailTaken (409) where one of them was faster."""
    held = _waiting(address).order_by(User.id).with_for_update(key_share=True)
    waiting = [row.id for row in fetch(held)]
    refuse_taken(address)
    if user_id not in waiting:
        return
    others = update(User).where(User.id.in_(waiting), User.id != user_id)
    execute(others.values(password_hash=FITS_NOTHING, first_name="", last_name="", phone=None, user_type=None))
    execute(update(User).where(User.id == user_id).values(email=address, email_verified=True, is_active=True))
    publish(UserRegistered(user_id=user_id))


def remind(address: str) -> None:
    """The letter of the newest request for this address once more, where one waits and none was just sent."""
    newest = _waiting(address).order_by(User.id.desc()).limit(1)
    for row in fetch(newest):
        if email_tokens.may_send(row.id, email_tokens.VERIFY):
            _send(row.id, address)


def _make_waiting(asked: RegistrationAsked, address: str) -> None:
    profile = {"first_name": asked.first_name, "last_name": asked.last_name, "phone": asked.phone or None}
    profile["user_type"] = asked.user_type or None
    _send(_save(asked.username, address, password_hash=asked.password_hash, **profile).id, address)


def _send(user_id: int, address: str) -> None:
    """Issue the confirmation link, unless the address had LETTERS_A_DAY of them from all its requests together."""
    waiting = select(MailToken.id).where(MailToken.user_id.in_(_waiting(address)))
    today = waiting.where(MailToken.created_at > email_tokens.a_day_ago()).limit(email_tokens.LETTERS_A_DAY)
    if len(fetch(today)) < email_tokens.LETTERS_A_DAY:
        email_tokens.issue(user_id, email_tokens.VERIFY, address)


def _waiting(address: str) -> Select[int]:
    """The ids of the accounts that wait for this address to be confirmed."""
    closed = (User.is_active.is_(False), User.email_verified.is_(False), User.suspended_at.is_(None))
    mine = (User.email.startswith(f"{_mark(address)}."), User.password_hash != FITS_NOTHING, User.erased_at.is_(None))
    return select(User.id).where(*closed, *mine)


def _save(username: str, address: str, **columns: Any) -> User:
    email = f"{_mark(address)}.{secrets.token_hex(12)}@{NOBODY}"
    return save(User(username=username, username_key=username.lower(), email=email, is_active=False, **columns))


def _mark(address: str) -> str:
    """A digest of the address that its waiting accounts have in place of it: `users.email` is unique."""
    return signing.digest("waiting", address).hex()
