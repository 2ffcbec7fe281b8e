"""Sign-ins: begun, refreshed by trading a token for its successor, listed and ended."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask_jwt_extended import create_access_token, create_refresh_token
from sqlalchemy import select, update

from marketplace.auth.models import SignIn, User
from marketplace.core.database.db import execute, fetch, fetch_as, one, save
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject

SAME_MOMENT = timedelta(seconds=10)
USED_BEFORE, SIGNED_OUT, ENDED, PASSWORD_CHANGED = "reuse", "signed out", "ended", "password"
LASTS = {"ACCESS": "JWT_ACCESS_TOKEN_EXPIRES", "REFRESH": "JWT_REFRESH_TOKEN_EXPIRES"}  # seconds


def begin(user: User, *, device: str = "", address: str = "") -> SignIn:
    """A new sign-in; `device` is the User-Agent header."""
    return save(SignIn(id=secrets.token_urlsafe(16), user_id=user.id, device=device, address=address))


def tokens_of(sign_in: Any, message: str) -> JsonObject:
    """The token pair of the sign-in's present generation; asked for again it is the same to the byte."""
    begun = int(sign_in.rotated_at.timestamp())
    access = create_access_token(str(sign_in.user_id), additional_claims=_claims(sign_in, begun, "ACCESS"))
    refresh = create_refresh_token(str(sign_in.user_id), additional_claims=_claims(sign_in, begun, "REFRESH"))
    return {"message": message, "token": access, "access_token": access, "refresh_token": refresh}


class SignInRow(Protocol):
    """A row of sign_ins."""

    id: str
    user_id: int
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    generation: int
    rotated_at: datetime
    last_used_at: datetime
    proved_at: datetime
    device: str
    address: str


def rotate(sign_in_id: str, generation: int) -> SignInRow | None:
    """The sign-in whose pair the holder of this generation's token gets; None where the token was used before.

    Of many at once one begins the next generation, and the others, within ten seconds, get the same
    successor: a client with several tabs is no thief (RFC 9700, 4.14.2).
    """
    moment = now()
    mine = (SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    following = update(SignIn).where(*mine, SignIn.generation == generation)
    execute(following.values(generation=generation + 1, rotated_at=moment, last_used_at=moment))
    found = fetch_as(SignInRow, select(SignIn.__table__).where(*mine, SignIn.generation == generation + 1))
    return found[0] if found and moment - found[0].rotated_at <= SAME_MOMENT else None


def end(sign_in_id: str, reason: str) -> None:
    """Revoke the sign-in with its access and refresh tokens at once."""
    living = update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    execute(living.values(ended_at=now(), end_reason=reason))


def end_one(user: User, sign_in_id: str) -> None:
    """Revoke one of one's own sign-ins; raises NotFound."""
    mine = select(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None), SignIn.id == sign_in_id)
    end(one(mine, "sign-in").id, ENDED)


def end_others(user_id: int, kept: str | None, reason: str = ENDED) -> int:
    """Revoke all of a person's sign-ins but `kept`; returns how many."""
    living = update(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None))
    others = living if kept is None else living.where(SignIn.id != kept)
    return execute(others.values(ended_at=now(), end_reason=reason))


def where(sign_in_id: str) -> tuple[str, str]:
    """Device and address of a sign-in; empty where there is none."""
    rows = fetch(select(SignIn.device, SignIn.address).where(SignIn.id == sign_in_id))
    return (rows[0].device, rows[0].address) if rows else ("", "")


def of(user: User, present: str) -> list[JsonObject]:
    """One's sign-ins that neither ended nor expired, the last used first."""
    since = now() - timedelta(seconds=current_settings.whole("JWT_REFRESH_TOKEN_EXPIRES"))
    mine = select(SignIn.__table__).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None))
    rows = fetch(mine.where(SignIn.rotated_at > since).order_by(SignIn.last_used_at.desc(), SignIn.id))
    shown = ("id", "device", "address", "created_at", "last_used_at")
    return [{**{name: getattr(row, name) for name in shown}, "is_current": row.id == present} for row in rows]


def _claims(sign_in: Any, begun: int, kind: str) -> JsonObject:
    ends = begun + current_settings.whole(LASTS[kind])
    generation = sign_in.generation
    name = f"{sign_in.id}.{generation}.{kind[0].lower()}"
    return {"sid": sign_in.id, "gen": generation, "iat": begun, "nbf": begun, "exp": ends, "jti": name, "csrf": name}


def open_ones(sign_in_ids: list[str]) -> set[str]:
    """Those of these ids that neither ended nor belong to an inactive account."""
    alive = select(SignIn.id).join(User, User.id == SignIn.user_id).where(SignIn.ended_at.is_(None), User.is_active)
    return {row.id for row in fetch(alive.where(SignIn.id.in_(sign_in_ids)))}
