"""When people were last active (`users.last_active_at`).

Apart from the rooms: the one read that sockets ask by many people at once, kept away from the queries of profiles.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch


def last_seen(user_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Last activity by user id; ids of inactive accounts are left out."""
    rows = fetch(select(User.id, User.last_active_at).where(User.id.in_(list(user_ids)), User.is_active))
    return {row.id: row.last_active_at for row in rows}


def by_language(user_ids: Iterable[int]) -> dict[str, list[int]]:
    """These people by the language they read."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in fetch(select(User.id, User.language).where(User.id.in_(list(user_ids)))):
        found[row.language].append(row.id)
    return found
