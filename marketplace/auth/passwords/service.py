"""Changing and resetting passwords, and what asks for the present one; hashing happens outside any transaction."""

from typing import Any

from marketplace.auth import service as auth_service
from marketplace.auth.client_context import Place
from marketplace.auth.email import service as email_service
from marketplace.auth.keys import service as keys_service
from marketplace.auth.phone import service as phone_service
from marketplace.auth.second_factor import service as second_factor_service
from marketplace.auth.service import BadCredentials, WrongPassword
from marketplace.core.database.db import in_transaction
from marketplace.core.ops import audit_log


def change(user: Any, sign_in_id: str, *, current_password: str, new_password: str) -> None:
    """Set a new password and end every other sign-in; raises WrongPassword (403), TooMany (429)."""
    user_id, present = user.id, user.password_hash
    _check(user_id, present, current_password)
    password_hash = auth_service.hash_password(new_password)
    in_transaction(lambda: _change(user_id, present, password_hash, sign_in_id))


def reset(place: Place, *, token: str, password: str) -> None:
    """The account goes to whoever reads the mailbox, and to nobody else; raises Invalid (422).

    Every sign-in and key ends. Somebody may have opened it with an address that is not theirs and prepared other
    ways in ("account pre-hijacking", Sudhodanan and Paverd, USENIX Security 2022): where the address was never
    confirmed before, the number and the second factor of whoever was there first end too.
    """
    password_hash = auth_service.hash_password(password)
    in_transaction(lambda: _reset(place, token, password_hash))


def ask_for_email_change(user: Any, *, email: str, password: str) -> None:
    """Letters to both addresses; raises WrongPassword (403), EmailTaken (409), TooMany (429)."""
    user_id = user.id
    _check(user_id, user.password_hash, password)
    in_transaction(lambda: email_service.ask_for_change(auth_service.locked_user(user_id), email=email))


def _check(user_id: int, password_hash: str, password: str) -> None:
    if not auth_service.knows_password(user_id, password_hash, password):
        raise WrongPassword()


def _change(user_id: int, present: str, password_hash: str, sign_in_id: str) -> None:
    user = auth_service.locked_user(user_id)
    if user.password_hash != present:
        raise BadCredentials()
    auth_service.set_password(user, password_hash, kept=sign_in_id)
    audit_log.record("password.changed", "user", user_id)


def _reset(place: Place, token: str, password_hash: str) -> None:
    user_id, was_confirmed = email_service.reset_password(place, token=token, password_hash=password_hash)
    keys_service.end_all(user_id)
    if not was_confirmed:
        phone_service.forget(user_id)
        second_factor_service.forget(user_id)
