"""Recovery codes: ten, shown once, each usable once in place of the authenticator.

Apart from the rooms: the verbs of a table that only this package's service calls.
"""

import secrets

from sqlalchemy import delete, func, insert, select, update

from marketplace.auth.second_factor.models import RecoveryCode
from marketplace.core.database.db import execute, fetch
from marketplace.core.http import signing
from marketplace.kit.clock import now

COUNT = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
LENGTH = 10


def replace(user_id: int) -> list[str]:
    """Make ten new codes and delete the old ones; returns their texts."""
    codes = [_new() for _ in range(COUNT)]
    forget(user_id)
    execute(insert(RecoveryCode), [{"user_id": user_id, "digest": _digest(code)} for code in codes])
    return codes


def take(user_id: int, code: str) -> bool:
    """Whether the code is one of theirs, and then it is used up: of two requests at once only one gets it."""
    mine = (RecoveryCode.user_id == user_id, RecoveryCode.digest == _digest(code), RecoveryCode.used_at.is_(None))
    return execute(update(RecoveryCode).where(*mine).values(used_at=now())) == 1


def left(user_id: int) -> int:
    """How many are unused."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return int(fetch(select(func.count()).select_from(RecoveryCode).where(*unused))[0][0])


def forget(user_id: int) -> None:
    """Delete all of a person's codes."""
    execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _new() -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{text[: LENGTH // 2]}-{text[LENGTH // 2 :]}"


def _digest(code: str) -> str:
    """Keyed: whoever has only the table cannot try all codes of ten letters."""
    plain = code.replace("-", "").replace(" ", "").lower()
    return signing.digest("recovery", plain).hex()
