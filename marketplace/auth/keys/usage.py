"""What keys are used for: added up in memory, written every few seconds; a killed process loses only those."""

import threading
from collections import Counter
from datetime import date

from sqlalchemy import insert, update

from marketplace.auth.keys.models import ApiKey, ApiKeyUse
from marketplace.core.db import execute, in_transaction
from marketplace.kit.clock import now

Use = tuple[int, date, bool]
_uses: Counter[Use] = Counter()
_lock = threading.Lock()


def note(key_id: int, *, refused: bool = False) -> None:
    """One request more."""
    with _lock:
        _uses[key_id, now().date(), refused] += 1


def flush() -> None:
    """Write what came since the last time; put back what could not be written."""
    with _lock:
        taken = sorted(_uses.items())
        _uses.clear()
    try:
        if taken:
            in_transaction(lambda: _write_all(taken))
    except Exception:
        with _lock:
            _uses.update(dict(taken))
        raise


def _write_all(taken: list[tuple[Use, int]]) -> None:
    for (key_id, day, refused), count in taken:
        _write(key_id, day, refused, count)


def _write(key_id: int, day: date, refused: bool, count: int) -> None:
    if not execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now())):
        return  # its owner is gone
    more = {"requests": ApiKeyUse.requests + (0 if refused else count), "refused": ApiKeyUse.refused + count * refused}
    if not execute(update(ApiKeyUse).where(ApiKeyUse.key_id == key_id, ApiKeyUse.day == day).values(more)):
        first = {"requests": 0 if refused else count, "refused": count * refused}
        execute(insert(ApiKeyUse).values(key_id=key_id, day=day, **first))
