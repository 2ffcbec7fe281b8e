"""Last activity of sign-ins and people: gathered in memory, written at most once a minute each.

Apart from the rooms: it keeps what was used in the memory of the process until it is flushed.
"""

import threading
from datetime import timedelta

from sqlalchemy import or_, select, update

from marketplace.auth.models import SignIn, User
from marketplace.core.database.db import execute, in_transaction
from marketplace.kit.clock import now

AT_MOST_EVERY = timedelta(minutes=1)
BATCH = 200
_used: set[str] = set()
_lock = threading.Lock()


def note(sign_in_id: str) -> None:
    """Remember that this sign-in was used; no statement until `flush`."""
    _used.add(sign_in_id)


def flush() -> None:
    """Write the sign-ins noted since the last time; what a killed process had noted is lost."""
    with _lock:
        used = sorted(_used)
        _used.difference_update(used)
    for start in range(0, len(used), BATCH):
        part = used[start : start + BATCH]
        in_transaction(lambda part=part: _write(part))  # type: ignore[misc]


def _write(part: list[str]) -> None:
    moment = now()
    stale = update(SignIn).where(SignIn.id.in_(part), SignIn.last_used_at < moment - AT_MOST_EVERY)
    execute(stale.values(last_used_at=moment))
    known = or_(User.last_active_at.is_(None), User.last_active_at < moment - AT_MOST_EVERY)
    people = select(SignIn.user_id).where(SignIn.id.in_(part))
    execute(update(User).where(User.id.in_(people), User.is_active, known).values(last_active_at=moment))
