"""Codes by SMS: sent within limits that hold in a burst, guessed at five times at most."""

import secrets
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, delete, select, update

from marketplace.auth import one_time_codes
from marketplace.auth.client_context import Place
from marketplace.auth.models import User
from marketplace.auth.phone.models import PhoneCode, PhoneTurn
from marketplace.auth.phone_numbers import e164
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.core.database.db import execute, fetch, first_as, in_transaction, save
from marketplace.core.ops import audit_log, current_settings
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import PhoneCodeIssued, PhoneLoginAsked
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid, TooMany

VERIFY, LOG_IN = "verify", "login"
LIVES = timedelta(minutes=10)
KEPT = timedelta(days=2)
EVERYBODY = "*"
WRONG = "This code is not right or too old. Take the newest one."


def send_to_verify(user: User, phone: str) -> None:
    """A code to the number a person says is theirs; raises Invalid (422), TooMany (429)."""
    number = e164(phone)
    refusal = _refusal(user.id, number)
    if refusal is not None:
        raise refusal
    _issue(user.id, VERIFY, number)


def ask_for_log_in(phone: str) -> None:
    """Only publish the wish: looking the number up here would tell by the time whether anybody has it. Raises Invalid
    (422)."""
    publish(PhoneLoginAsked(phone=e164(phone)))


def send_to_log_in(number: str) -> None:
    """Send a code to whoever has verified this number, within the limits. Where nobody has, a code is made and not
    sent, so that guessing at it takes the same time."""
    found = fetch(select(User.id).where(User.phone_key == number, User.is_active))
    user_id = found[0].id if found else None
    if _refusal(user_id, number) is None:
        _issue(user_id, LOG_IN, number)


def verify(user_id: int, phone: str, code: str, place: Place) -> None:
    """Give the number to this person and take it from whoever had it; raises Invalid (422)."""
    number = e164(phone)
    row = _guess(PhoneCode.phone == number, PhoneCode.user_id == user_id, PhoneCode.purpose == VERIFY)
    if row is None or not one_time_codes.fits(row, code):
        in_transaction(lambda: sign_in_risk_service.note(sign_in_risk_service.REFUSED_CODE, user_id, place))
        raise Invalid.field("code", WRONG)
    in_transaction(lambda: _verified(row))


def who_logs_in(phone: str, code: str, place: Place) -> int | None:
    """The id of the person whose number the code proves, and the code is used up; None where it proves nothing. Raises
    Invalid (422) for what is no number."""
    number = e164(phone)
    return in_transaction(lambda: _logged_in(number, code, place))


def forget(user_id: int) -> None:
    """Take a person's number away, for one that somebody else had confirmed."""
    execute(update(User).where(User.id == user_id).values(phone=None, phone_key=None, phone_verified=False))


def message_of(code_id: int) -> tuple[str, str] | None:
    """The number and the code to send; None where the code was used or is too old."""
    rows = fetch(select(PhoneCode.__table__).where(PhoneCode.id == code_id, PhoneCode.used_at.is_(None)))
    if not rows or rows[0].expires_at < now():
        return None
    return rows[0].phone, one_time_codes.code_of(rows[0])


def sweep() -> int:
    """Delete codes older than two days, which no limit counts any more; returns how many."""
    execute(delete(PhoneTurn).where(PhoneTurn.taken_at < now() - KEPT))
    return execute(delete(PhoneCode).where(PhoneCode.created_at < now() - KEPT))


def _refusal(user_id: int | None, number: str) -> TooMany | None:
    """The error of a limit that is reached, else None. Its locks make whoever asks next wait for this commit."""
    for name in sorted((EVERYBODY, number)):
        _take_turn(name)
    limits = (
        (PhoneCode.phone == number, timedelta(minutes=10), current_settings.whole("SMS_PER_10_MINUTES")),
        (PhoneCode.phone == number, timedelta(days=1), current_settings.whole("SMS_PER_DAY")),
        (PhoneCode.user_id == (user_id or 0), timedelta(days=1), current_settings.whole("SMS_PER_DAY")),
        (PhoneCode.user_id.is_not(None), timedelta(hours=1), current_settings.whole("SMS_PER_HOUR_IN_ALL")),
    )
    for whose, window, most in limits:
        if most <= 0:
            return TooMany("No codes are sent by SMS at present.", retry_after=int(window.total_seconds()))
        oldest = _oldest_of_the_last(most, whose, window)
        if oldest is not None:
            wait = int((oldest + window - now()).total_seconds()) + 1
            return TooMany("Too many codes were sent. Wait a while before you ask for another.", retry_after=wait)
    return None


def _oldest_of_the_last(most: int, whose: ColumnElement[bool], window: timedelta) -> datetime | None:
    """When the first of the latest `most` codes within the window was made; None where there were fewer."""
    recent = select(PhoneCode.created_at).where(whose, PhoneCode.created_at > now() - window)
    rows = fetch(recent.order_by(PhoneCode.created_at.desc()).limit(1).offset(most - 1))
    return rows[0].created_at if rows else None


def _take_turn(name: str) -> None:
    """Lock the row of this name until the commit (SQLite has one writer anyway)."""
    if not execute(update(PhoneTurn).where(PhoneTurn.name == name).values(taken_at=now())):
        save(PhoneTurn(name=name))


def _issue(user_id: int | None, purpose: str, number: str) -> None:
    moment = now()
    earlier = (PhoneCode.phone == number, PhoneCode.purpose == purpose, PhoneCode.used_at.is_(None))
    execute(update(PhoneCode).where(*earlier, PhoneCode.user_id == user_id).values(used_at=moment))
    code = save(
        PhoneCode(
            user_id=user_id,
            purpose=purpose,
            phone=number,
            nonce=secrets.token_hex(16),
            created_at=moment,
            expires_at=moment + LIVES,
        )
    )
    if user_id is not None:
        publish(PhoneCodeIssued(code_id=code.id, user_id=user_id))


def _logged_in(number: str, code: str, place: Place) -> int | None:
    row = _newest(PhoneCode.phone == number, PhoneCode.purpose == LOG_IN)
    if row is None or not one_time_codes.take_guess(PhoneCode, row.id) or not one_time_codes.fits(row, code):
        sign_in_risk_service.note(sign_in_risk_service.REFUSED_CODE, row.user_id if row is not None else None, place)
        return None
    still_theirs = select(User.id).where(User.id == row.user_id, User.phone_key == number)
    return row.user_id if fetch(still_theirs) and one_time_codes.use(PhoneCode, row.id) else None


class PhoneCodeRow(one_time_codes.GuessableRow, Protocol):
    """A row of phone_codes."""

    user_id: int | None
    purpose: str
    phone: str


def _newest(*which: ColumnElement[bool]) -> PhoneCodeRow | None:
    return first_as(PhoneCodeRow, select(PhoneCode.__table__).where(*which).order_by(PhoneCode.id.desc()).limit(1))


def _guess(*which: ColumnElement[bool]) -> PhoneCodeRow | None:
    """The newest such code, one guess of it used up and committed; None where none has a guess left."""
    row = _newest(*which)
    if row is None or not in_transaction(lambda: one_time_codes.take_guess(PhoneCode, row.id)):
        return None
    return row


def _verified(row: PhoneCodeRow) -> None:
    """Use up the code and move the number to its person, as operators give numbers out again; raises Invalid (422)."""
    if not one_time_codes.use(PhoneCode, row.id):
        raise Invalid.field("code", WRONG)
    before = update(User).where(User.phone_key == row.phone, User.id != row.user_id)
    execute(before.values(phone_key=None, phone_verified=False))
    mine = update(User).where(User.id == row.user_id)
    execute(mine.values(phone=row.phone, phone_key=row.phone, phone_verified=True, updated_at=now()))
    audit_log.record("phone.verified", "user", row.user_id)
