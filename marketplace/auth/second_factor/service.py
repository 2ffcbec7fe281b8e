"""The second factor: set up, enabled, disabled, and proved by a code."""

from sqlalchemy import delete, update

from marketplace.auth.models import User
from marketplace.auth.second_factor import recovery_codes, totp
from marketplace.auth.second_factor.models import SecondFactor
from marketplace.auth.service import WrongPassword, knows_password
from marketplace.core.database.db import execute, in_transaction, save
from marketplace.core.ops import audit_log, security_log
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import SecondFactorSwitched
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, TooMany
from marketplace.kit.json_types import JsonObject

WRONG_CODE = "This code is not right. Take the newest one; each counts once."


class AlreadyOn(Conflict):
    """409: the second factor has to be disabled before another is set up."""

    code = "second_factor_on"
    sentence = "The second factor is on already. Switch it off first."


class NotOn(Conflict):
    """409: no second factor is enabled, or none was set up."""

    code = "second_factor_off"
    sentence = "The second factor is not on. Set it up first."


class TooManyCodes(TooMany):
    """429: five wrong codes within a quarter of an hour."""

    code = "too_many_codes"
    sentence = "Too many wrong codes. Wait a quarter of an hour and try again."


def set_up(user: User) -> dict[str, str]:
    """A new secret as text, otpauth URI and QR code (SVG), in force once `enable` has seen a code of it; raises
    AlreadyOn (409)."""
    if totp.is_on(user.id):
        raise AlreadyOn()
    execute(delete(SecondFactor).where(SecondFactor.user_id == user.id, SecondFactor.enabled_at.is_(None)))
    factor = save(SecondFactor(user_id=user.id, secret=totp.new_secret()))
    address = totp.uri(factor.secret, user.username)
    return {"secret": factor.secret, "otpauth_uri": address, "qr_svg": totp.qr_svg(address)}


def enable(user_id: int, code: str) -> list[str]:
    """Put the secret in force and return ten recovery codes; raises NotOn, AlreadyOn (409), Invalid (422), TooManyCodes
    (429)."""
    factor = totp.find(user_id)
    if factor is None or factor.enabled_at is not None:
        raise NotOn("Ask for a secret first.") if factor is None else AlreadyOn()
    guess(user_id)
    return in_transaction(lambda: _enable(user_id, code))


def disable(user_id: int, *, password_hash: str, password: str, code: str) -> None:
    """Delete secret and recovery codes; raises NotOn (409), WrongPassword (403), Invalid (422), TooManyCodes (429)."""
    if not totp.is_on(user_id):
        raise NotOn()
    guess(user_id)
    is_right = knows_password(user_id, password_hash, password)
    in_transaction(lambda: _disable(user_id, is_right, code))


def new_recovery_codes(user_id: int, code: str) -> list[str]:
    """Ten new ones for those that were used or lost; raises NotOn (409), Invalid (422), TooManyCodes (429)."""
    if not totp.is_on(user_id):
        raise NotOn()
    guess(user_id)
    return in_transaction(lambda: _replace(user_id, code))


def forget(user_id: int) -> None:
    """Delete secret and recovery codes of an account whose owner never confirmed the address: somebody else set them
    up."""
    recovery_codes.forget(user_id)
    if execute(delete(SecondFactor).where(SecondFactor.user_id == user_id)):
        _tell(user_id, on=False)


def guess(user_id: int) -> None:
    """Use up one of the few guesses, committed before the code is looked at; raises TooManyCodes (429)."""
    if not in_transaction(lambda: totp.take_guess(user_id)):
        security_log.record("second_factor_locked", user_id=user_id)
        raise TooManyCodes(retry_after=totp.locked_for(user_id))


def proves(user_id: int, code: str) -> bool:
    """Whether the code is the authenticator's or a recovery code; either is used up."""
    if totp.take(user_id, code):
        return True
    if recovery_codes.take(user_id, code):
        totp.give_back_guesses(user_id)
        return True
    return False


def state_of(user: User) -> JsonObject:
    """`enabled`, and `recovery_codes_left`."""
    return {"enabled": totp.is_on(user.id), "recovery_codes_left": recovery_codes.left(user.id)}


def _enable(user_id: int, code: str) -> list[str]:
    factor = totp.find(user_id)
    if factor is None or not totp.take(user_id, code):
        raise Invalid.field("code", WRONG_CODE)
    proved = update(SecondFactor).where(SecondFactor.id == factor.id, SecondFactor.enabled_at.is_(None))
    if not execute(proved.values(enabled_at=now())):
        raise AlreadyOn()
    _tell(user_id, on=True)
    return recovery_codes.replace(user_id)


def _disable(user_id: int, is_password_right: bool, code: str) -> None:
    if not is_password_right:
        raise WrongPassword()
    if not proves(user_id, code):
        raise Invalid.field("code", WRONG_CODE)
    forget(user_id)


def _replace(user_id: int, code: str) -> list[str]:
    if not totp.take(user_id, code):
        raise Invalid.field("code", WRONG_CODE)
    audit_log.record("recovery_codes.replaced", "user", user_id)
    return recovery_codes.replace(user_id)


def _tell(user_id: int, *, on: bool) -> None:
    audit_log.record("second_factor.on" if on else "second_factor.off", "user", user_id)
    publish(SecondFactorSwitched(user_id=user_id, is_on=on, version=int(now().timestamp())))
