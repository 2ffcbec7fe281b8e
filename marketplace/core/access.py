"""Who asks, and what every route declares about who may."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import Flask, g, request
from flask_jwt_extended import JWTManager, get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError

from marketplace.kit.errors import NotAllowed, NotSignedIn

jwt = JWTManager()


class Person(Protocol):
    """What core needs to know of a signed-in person."""

    id: Any
    role: Any
    time_zone: Any


@dataclass(frozen=True, slots=True)
class Access:
    """A route's policy: which kind of token, and which roles (none named: everybody signed in)."""

    name: str
    token: str | None = "access"
    optional: bool = False
    roles: frozenset[str] = frozenset()


ANYONE = Access("anyone", optional=True)
NEWCOMER = Access("anyone, whatever token is sent along", token=None, optional=True)
SIGNED_IN = Access("signed in")
REFRESHING = Access("refresh token", token="refresh")
ADMIN = Access("admin", roles=frozenset({"admin"}))

Loader = Callable[[dict[str, Any]], Person | None]


def init_app(app: Flask) -> None:
    """Read the token of every request once; a bad one is refused where a route needs the answer."""
    jwt.init_app(app)
    app.before_request(read_token)


def load_people_with(app: Flask, loader: Loader) -> None:
    """How claims become a person; None where the session or the account has ended."""
    app.extensions["load_person"] = loader


def read_token() -> None:
    """Decode without touching the database."""
    g.claims, g.token_problem, g.person = None, None, None
    if "Authorization" not in request.headers or request.method == "OPTIONS":
        return
    try:
        verify_jwt_in_request(verify_type=False)
        g.claims = get_jwt()
        g.actor_id = _user_id(g.claims)
    except (JWTExtendedException, PyJWTError, KeyError, ValueError, TypeError):
        g.claims = None
        g.token_problem = NotSignedIn("This sign-in is not valid or has expired. Please sign in again.")


def _user_id(claims: dict[str, Any]) -> int:
    """Raises ValueError for claims no token of ours carries."""
    user_id = int(claims["sub"])
    if not 0 < user_id < 2**63 or not isinstance(claims.get("sid"), str):
        raise ValueError("not a token of ours")
    return user_id


def check(access: Access, app: Flask) -> None:
    """Load the person the route needs; raises NotSignedIn (401) or NotAllowed (403)."""
    g.person = None
    if access.token is None:
        return
    if g.token_problem is not None:
        raise g.token_problem
    if g.claims is None:
        if not access.optional:
            raise NotSignedIn()
        return
    if g.claims.get("type") != access.token:
        raise NotSignedIn("This token is of the wrong kind for this address.")
    g.person = app.extensions["load_person"](g.claims)
    if g.person is None:
        raise NotSignedIn("This sign-in has ended. Please sign in again.")
    if access.roles and g.person.role not in access.roles:
        raise NotAllowed(f"Only the {_either(access.roles)} can do this.")


def claims() -> dict[str, Any]:
    """The token's claims; only behind a route that needs one."""
    return dict(g.claims)


def current_user() -> Any:
    """The signed-in person; only behind a route that needs one."""
    return g.person


def local_zone() -> tzinfo:
    """The time zone of whoever asks; UTC where unknown."""
    person = g.get("person")
    return ZoneInfo(person.time_zone) if person is not None else UTC


def viewer() -> Any | None:
    """The signed-in person, or None for an anonymous reader."""
    return g.person


def _either(roles: Iterable[str]) -> str:
    return " or ".join(sorted(roles))
