"""Six digits that the buyer shows when the thing is handed over; whoever enters them was there.

Apart from the rooms: the verbs of a table of its own, called by the trades above.
"""

import hmac
import secrets

from sqlalchemy import Select, delete, select

from marketplace.core.database.db import db, execute, locked, save
from marketplace.kit.errors import Conflict, Invalid
from marketplace.payments.models import HandOverCode

DIGITS = 6
GUESSES = 5


class NoCode(Conflict):
    """409: no code was made, or it was used, or guessed at GUESSES times."""

    code = "no_code"
    sentence = "There is no code for this that counts. The one who pays can make a new one."


def code_for(reference: str, owner_id: int, *, fresh: bool = False) -> str:
    """The deal's code, made at first use; `fresh` replaces it."""
    known = db.session.scalar(_of(reference))
    if known is not None and not fresh and known.wrong < GUESSES:
        return known.code
    execute(delete(HandOverCode).where(HandOverCode.reference == reference))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    save(HandOverCode(reference=reference, owner_id=owner_id, code=code))
    return code


def guess(reference: str, code: str) -> bool:
    """Whether the code is right: a wrong one is counted, a right one is used up. Raises NoCode (409).

    To be committed either way: a guess that is rolled back would not be counted.
    """
    known = db.session.scalar(locked(_of(reference)))
    if known is None or known.wrong >= GUESSES:
        raise NoCode()
    if not hmac.compare_digest(known.code.encode(), code.encode()):
        known.wrong += 1
        db.session.flush()
        return False
    forget(reference)
    return True


def forget(reference: str) -> None:
    """Delete the deal's code."""
    execute(delete(HandOverCode).where(HandOverCode.reference == reference))


def wrong_code() -> Invalid:
    """The error to raise for a wrong guess, after the guess is committed."""
    return Invalid.field("code", f"This is not the code. After {GUESSES} wrong ones a new one is needed.")


def _of(reference: str) -> Select[HandOverCode]:
    return select(HandOverCode).where(HandOverCode.reference == reference)
