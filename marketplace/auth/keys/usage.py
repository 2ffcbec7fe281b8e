"""Counts of what API keys are used for: added up in memory, written every few seconds; a killed process loses those.

A limit counts what is not written yet all the same: this process knows its own counts, and where there is a Redis,
every process counts the day there too.

Apart from the rooms: it keeps counts in the memory of the process until they are flushed.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import insert, update

from marketplace.auth.keys.models import ApiKey, ApiKeyUse
from marketplace.core.database.db import execute, in_transaction
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now

Key = tuple[int, str]  # id and digest: SQLite gives the id of a key that is gone to another
Use = tuple[Key, date, bool]
SHARED_SECONDS = 2 * 86_400
_uses: Counter[Use] = Counter()
_last: dict[Key, datetime] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Today:
    """A key's requests and refusals of this day (UTC), and when it was last used, if ever."""

    requests: int = 0
    refused: int = 0
    last_used_at: datetime | None = None


def note(key: Key, *, refused: bool = False) -> None:
    """Count one request in memory."""
    moment = now()
    with _lock:
        _uses[key, moment.date(), refused] += 1
        _last[key] = moment
    if redis := _redis(current_settings.text("REDIS_URL")):
        with suppress(RedisError), redis.pipeline(transaction=False) as line:
            line.hincrby(_name(key, moment.date()), "refused" if refused else "requests", 1)
            line.hset(_name(key, moment.date()), "last", moment.isoformat())
            line.expire(_name(key, moment.date()), SHARED_SECONDS)
            line.execute()


def today(written: dict[Key, Today]) -> dict[Key, Today]:
    """The counts as they are now, made of `written` (what the database says), of this process' own and of Redis'."""
    day, shared = now().date(), _shared(list(written))
    return {key: _most(_with_own(key, day, known), shared.get(key)) for key, known in written.items()}


def _with_own(key: Key, day: date, known: Today) -> Today:
    own = [_uses.get((key, day, refused), 0) for refused in (False, True)]
    return Today(known.requests + own[0], known.refused + own[1], _later(known.last_used_at, _last.get(key)))


def _most(one: Today, other: Today | None) -> Today:
    if other is None:
        return one
    last = _later(one.last_used_at, other.last_used_at)
    return Today(max(one.requests, other.requests), max(one.refused, other.refused), last)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _shared(keys: Sequence[Key]) -> dict[Key, Today]:
    redis, day = _redis(current_settings.text("REDIS_URL")), now().date()
    if redis is None:
        return {}
    with suppress(RedisError), redis.pipeline(transaction=False) as line:
        for key in keys:
            line.hgetall(_name(key, day))
        return {key: _read(row) for key, row in zip(keys, line.execute(), strict=True) if row}
    return {}


def _read(row: dict[bytes, bytes]) -> Today:
    figures: dict[str, Any] = {name.decode(): value.decode() for name, value in row.items()}
    last = datetime.fromisoformat(figures["last"]) if "last" in figures else None
    return Today(int(figures.get("requests", 0)), int(figures.get("refused", 0)), last)


def _name(key: Key, day: date) -> str:
    return f"api-key-use:{key[1]}:{day.isoformat()}"


@cache
def _redis(url: str) -> Redis | None:
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5) if url else None


def flush() -> None:
    """Write the counts of this process; what could not be written is put back."""
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
    for (key, day, refused), count in taken:
        _write(key, day, refused, count)


def _write(key: Key, day: date, refused: bool, count: int) -> None:
    key_id, digest = key
    same = update(ApiKey).where(ApiKey.id == key_id, ApiKey.digest == digest)
    if not execute(same.values(last_used_at=_last.get(key, now()))):
        return  # its owner is gone
    more = {"requests": ApiKeyUse.requests + (0 if refused else count), "refused": ApiKeyUse.refused + count * refused}
    if not execute(update(ApiKeyUse).where(ApiKeyUse.key_id == key_id, ApiKeyUse.day == day).values(more)):
        first = {"requests": 0 if refused else count, "refused": count * refused}
        execute(insert(ApiKeyUse).values(key_id=key_id, day=day, **first))
