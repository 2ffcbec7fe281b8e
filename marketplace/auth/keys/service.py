"""API keys: made, listed, revoked, and checked on each request."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from marketplace.auth.keys import usage
from marketplace.auth.keys.models import ApiKey, ApiKeyUse
from marketplace.auth.models import User
from marketplace.auth.service import hold
from marketplace.core.database.db import db, execute, fetch, fetch_as, one, save
from marketplace.core.http.access import INVALID_TOKEN, NotForKeys
from marketplace.core.http.rate_limits import spend, spend_of_day
from marketplace.core.ops import audit_log, current_settings, security_log
from marketplace.core.queues.outbox import publish
from marketplace.events.auth import ApiKeyMade
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, NotSignedIn, TooMany
from marketplace.kit.json_types import JsonObject

PREFIX = "mk"
MOST_KEYS = 20
DAYS_SHOWN = 30
UNUSED = usage.Today()


class TooManyKeys(Conflict):
    """409: the person has as many keys as one may have."""

    code = "too_many_keys"
    sentence = f"You have {MOST_KEYS} keys. End one that is not used any more."


def make(
    user: User,
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None = None,
    requests_a_day: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can read again; raises TooManyKeys (409), Invalid (422)."""
    if expires_at is not None and expires_at <= now():
        raise Invalid.field("expires_at", "This moment has passed.")
    most = current_settings.whole("API_KEY_REQUESTS_A_DAY")
    if requests_a_day is not None and requests_a_day > most:
        raise Invalid.field("requests_a_day", f"A key has at most {most:,} requests a day.")
    hold(user.id)
    living = select(func.count()).select_from(ApiKey).where(ApiKey.user_id == user.id, ApiKey.ended_at.is_(None))
    if int(fetch(living)[0][0]) >= MOST_KEYS:
        raise TooManyKeys()
    key = save(
        ApiKey(
            user_id=user.id,
            name=name,
            digest="",
            scopes=sorted(set(scopes)),
            requests_a_day=requests_a_day or most,
            expires_at=expires_at,
        )
    )
    text = f"{PREFIX}_{key.id}_{secrets.token_urlsafe(32)}"
    key.digest = _digest(text)
    audit_log.record("api_key.made", "api_key", key.id, scopes=key.scopes)
    publish(ApiKeyMade(key_id=key.id, user_id=user.id))
    return save(key), text


def end(user: User, key_id: int) -> None:
    """Revoke one of one's own keys; raises NotFound."""
    mine = select(ApiKey).where(ApiKey.user_id == user.id, ApiKey.id == key_id, ApiKey.ended_at.is_(None))
    save(one(mine, "API key")).ended_at = now()
    audit_log.record("api_key.ended", "api_key", key_id)


def end_all(user_id: int) -> None:
    """Revoke all keys of a person."""
    living = update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.ended_at.is_(None))
    if execute(living.values(ended_at=now())):
        audit_log.record("api_keys.ended", "user", user_id, actor_id=user_id)


def of(user: User) -> list[JsonObject]:
    """One's keys that are not revoked, newest first, with their use of the last thirty days."""
    mine = select(ApiKey.__table__).where(ApiKey.user_id == user.id, ApiKey.ended_at.is_(None))
    keys = fetch(mine.order_by(ApiKey.id.desc()))
    uses = select(ApiKeyUse.__table__).where(ApiKeyUse.key_id.in_([key.id for key in keys]))
    rows = fetch(uses.order_by(ApiKeyUse.day.desc()).limit(DAYS_SHOWN * MOST_KEYS)) if keys else []
    day = now().date()
    written = {row.key_id: row for row in rows if row.day == day}
    figures = usage.today({(key.id, key.digest): _written(key, written.get(key.id)) for key in keys})
    return [
        view(key, [row for row in rows if row.key_id == key.id][:DAYS_SHOWN], figures[key.id, key.digest])
        for key in keys
    ]


def _written(key: Any, row: Any) -> usage.Today:
    return usage.Today(row.requests if row else 0, row.refused if row else 0, key.last_used_at)


def view(key: Any, uses: Sequence[Any] = (), today: usage.Today = UNUSED) -> JsonObject:
    """A key as its owner sees it, today's figures included; the text is shown once only, when it is made."""
    shown = ("id", "name", "scopes", "requests_a_day", "created_at", "expires_at")
    day = now().date()
    days = [(use.day, use.requests, use.refused) for use in uses if use.day != day]
    if today.requests or today.refused:
        days.insert(0, (day, today.requests, today.refused))
    return {
        **{name: getattr(key, name) for name in shown},
        "last_used_at": today.last_used_at,
        "requests_today": today.requests,
        "usage": [{"day": day.isoformat(), "requests": made, "refused": refused} for day, made, refused in days],
    }


def name_of(key_id: int) -> str:
    """The name its owner gave the key; empty where there is none."""
    rows = fetch(select(ApiKey.name).where(ApiKey.id == key_id))
    return rows[0].name if rows else ""


def holder_of(text: str, scope: str, *, is_counted: bool) -> User:
    """The owner of a key that has this scope. `is_counted` says that this request was counted already and costs nothing
    more. Raises NotSignedIn (401), NotForKeys (403), TooMany (429)."""
    key = _living(text)
    if scope not in key.scopes:
        raise NotForKeys(f"This API key has not the scope {scope}." if scope else None)
    if not is_counted:
        _count(key)
    user = db.session.scalar(select(User).where(User.id == key.user_id, User.is_active))
    if user is None:
        raise NotSignedIn("This account does not sign in any more.", error=INVALID_TOKEN)
    set_committed_value(user, "role", "user")  # a key never has the powers of staff; the row keeps its role
    return user


def _count(key: "ApiKeyRow") -> None:
    try:
        spend("api-key", str(key.id), "LIMIT_API_KEY")
        spend_of_day("api-key-day", str(key.id), key.requests_a_day)
    except TooMany:
        usage.note((key.id, key.digest), refused=True)
        raise
    usage.note((key.id, key.digest))


class ApiKeyRow(Protocol):
    """A row of api_keys."""

    id: int
    user_id: int
    name: str
    digest: str
    scopes: list[str]
    requests_a_day: int
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    last_used_at: datetime | None


def _living(text: str) -> ApiKeyRow:
    _, _, rest = text.partition("_")
    number = rest.partition("_")[0]
    key_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    found = fetch_as(ApiKeyRow, select(ApiKey.__table__).where(ApiKey.id == key_id))
    known = bool(found) and hmac.compare_digest(found[0].digest.encode(), _digest(text).encode())
    ended = known and (found[0].ended_at is not None or _is_over(found[0].expires_at))
    if not known or ended:
        security_log.record("api_key_refused", key_id=key_id or None)
        raise NotSignedIn("This API key is not valid, has ended or has expired.", error=INVALID_TOKEN)
    return found[0]


def _is_over(moment: datetime | None) -> bool:
    return moment is not None and moment <= now()


def _digest(text: str) -> str:
    """SHA-256 without salt or stretching: enough for 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()
