"""Time-based codes (RFC 6238): made, shown as a QR, checked; each counts once.

Apart from the rooms: the algorithm of RFC 6238 with the row that counts its guesses.
"""

import io
from datetime import datetime, timedelta
from typing import Protocol

import pyotp
import segno
from sqlalchemy import case, select, update

from marketplace.auth.second_factor.models import SecondFactor
from marketplace.core.database.db import execute, fetch, first_as
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now

STEP = 30  # seconds
DRIFT = (-1, 0, 1)  # steps a telephone's clock may be off
MOST_WRONG = 5
WRONG_FOR = timedelta(minutes=15)


def new_secret() -> str:
    """160 bits, as RFC 4226 recommends."""
    return pyotp.random_base32()


def uri(secret: str, account: str) -> str:
    """The otpauth URI that an authenticator reads; its issuer is the marketplace's name."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=current_settings.text("SITE_NAME"))


def qr_svg(text: str) -> str:
    """A QR code of the text as an SVG element."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=4, border=2, xmldecl=False, svgns=True)
    return out.getvalue().decode()


def take_guess(user_id: int) -> bool:
    """Count one guess; False where five were made within a quarter of an hour. To be committed before the code is
    looked at."""
    fresh = SecondFactor.wrong_since < now() - WRONG_FOR
    spent = update(SecondFactor).where(SecondFactor.user_id == user_id, fresh | (SecondFactor.wrong < MOST_WRONG))
    wrong = case((fresh, 1), else_=SecondFactor.wrong + 1)
    since = case((fresh, now()), else_=SecondFactor.wrong_since)
    return execute(spent.values(wrong=wrong, wrong_since=since)) == 1


def locked_for(user_id: int) -> int:
    """Seconds until a guess is looked at again; 0 where one is now."""
    factor = find(user_id)
    left = factor.wrong_since + WRONG_FOR - now() if factor is not None else WRONG_FOR
    return max(int(left.total_seconds()) + 1, 1)


def give_back_guesses(user_id: int) -> None:
    """Reset the count of guesses, after a recovery code has proved the person."""
    execute(update(SecondFactor).where(SecondFactor.user_id == user_id).values(wrong=0))


def take(user_id: int, code: str) -> bool:
    """Whether the code is right and newer than the last one used; of two requests at once only one gets it."""
    factor = find(user_id)
    step = matching_step(factor.secret, code) if factor is not None else None
    if factor is None or step is None:
        return False
    newer = update(SecondFactor).where(SecondFactor.id == factor.id, SecondFactor.last_step < step)
    return execute(newer.values(last_step=step, wrong=0)) == 1


def matching_step(secret: str, code: str) -> int | None:
    """The 30 s step since 1970 whose code this is, among those near now; None where it is none's."""
    totp, present = pyotp.TOTP(secret), int(now().timestamp()) // STEP
    plain = code.replace(" ", "")
    steps = (present + off for off in DRIFT)
    return next((step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), plain)), None)


class SecondFactorRow(Protocol):
    """A row of second_factors."""

    id: int
    user_id: int
    secret: str
    enabled_at: datetime | None
    last_step: int
    wrong: int
    wrong_since: datetime
    created_at: datetime


def find(user_id: int) -> SecondFactorRow | None:
    """The person's authenticator, enabled or not yet."""
    return first_as(SecondFactorRow, select(SecondFactor.__table__).where(SecondFactor.user_id == user_id))


def is_on(user_id: int) -> bool:
    """Whether signing in takes a second factor."""
    enabled = select(SecondFactor.id).where(SecondFactor.user_id == user_id, SecondFactor.enabled_at.is_not(None))
    return bool(fetch(enabled))
