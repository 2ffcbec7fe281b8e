"""Who asks, and what every route declares about who may."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any, Protocol, TypedDict
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, has_request_context, request
from flask_jwt_extended import JWTManager, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from marketplace.core.http.cookies import ACCESS_COOKIE, CSRF_HEADER, REFRESH_COOKIE, REFRESH_PATH
from marketplace.core.http.permissions import ROLE_WORDS, May, may, roles_with
from marketplace.core.ops import security_log
from marketplace.kit.clock import now
from marketplace.kit.errors import NotAllowed, NotSignedIn
from marketplace.kit.json_types import JsonObject
from marketplace.kit.languages import LANGUAGES
from marketplace.kit.normalization import bearer, header_token

SIGN_IN_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
TOKENS_KNOWN = 2_000  # decoded ones a process keeps
MOVES_MONEY = "payments:write"
INVALID_TOKEN = "invalid_token"  # RFC 6750, 3.1: expired, revoked, malformed
SAFE = {"GET", "HEAD", "OPTIONS"}
jwt = JWTManager()


class Claims(TypedDict):
    """What one of our tokens says: `sid` names the sign-in, `gen` counts how often it was refreshed; times are
    seconds since 1970."""

    sub: str
    sid: str
    gen: int
    type: str
    iat: int
    nbf: int
    exp: int
    jti: str
    csrf: str


class Person(Protocol):
    """What core needs to know of a signed-in person."""

    id: Any
    role: Any
    time_zone: Any
    language: Any


@dataclass(frozen=True, slots=True)
class Access:
    """A route's policy: which kind of token, which permission, and whether who asks must have proved
    lately that it is them ("always", or "second factor": those who have one)."""

    name: str
    token: str | None = "access"
    optional: bool = False
    permission: May | None = None
    proof: str = ""


ANYONE = Access("anyone", optional=True)
NEWCOMER = Access("anyone, whatever token is sent along", token=None, optional=True)
SIGNED_IN = Access("signed in")
REFRESHING = Access("refresh token", token="refresh")
PROVED = Access("signed in, proved lately", proof="always")
PROVED_TWICE = Access("signed in, the second factor (if any) shown lately", proof="second factor")


def allowed_to(permission: May, *, proof: str = "second factor") -> Access:
    """Only whose role has this permission; staff with a second factor must have shown it lately."""
    return Access(f"may {permission}", permission=permission, proof=proof)


class NoCsrf(NotAllowed):
    """403: the cookie came without its header; every page sends the cookie, only ours can send the header."""

    code = "csrf"
    sentence = f"Send the value of the csrf cookie in the header {CSRF_HEADER}."


class NotForKeys(NotAllowed):
    """403: this route is not for API keys, or the key lacks the scope."""

    code = "scope"
    sentence = "An API key cannot do this. Sign in instead."


@dataclass(frozen=True, slots=True)
class Loaders:
    """How the floor above turns credentials into people."""

    person: Callable[[dict[str, Any]], Person | None]
    key_holder: Callable[..., Person]
    proof: Callable[[Person, dict[str, Any], str], None]


def init_app(app: Flask) -> None:
    """Read the credentials of every request once; bad ones are refused where a route needs the answer."""
    jwt.init_app(app)
    app.before_request(read_credentials)


def load_people_with(app: Flask, loaders: Loaders) -> None:
    """Claims become a person (None where session or account has ended), a key its holder (raises
    NotSignedIn, NotForKeys), and a stale proof a refusal."""
    app.extensions["loaders"] = loaders


def read_credentials() -> None:
    """Decode without touching the database. A token in the header counts before a key, a key before a cookie."""
    g.claims, g.token_problem, g.person, g.api_key = None, None, None, None
    if request.method == "OPTIONS":
        return
    try:
        if "Authorization" in request.headers:
            _take(bearer(request.headers["Authorization"]) or "")
        elif "X-API-Key" in request.headers:
            g.api_key = header_token(request.headers["X-API-Key"])
        elif current_app.config["COOKIE_SIGN_IN"]:
            _read_cookie()
    except (JWTExtendedException, PyJWTError, KeyError, ValueError, TypeError) as error:
        g.claims = None
        record_refused(error)
        sentence = "This sign-in is not valid or has expired. Please sign in again."
        g.token_problem = NotSignedIn(sentence, error=INVALID_TOKEN)


def record_refused(error: Exception) -> None:
    """Log a token whose signature or form is wrong; expired ones are ordinary and are not logged."""
    if not isinstance(error, ExpiredSignatureError):
        security_log.record("token_refused")


def has_credentials() -> bool:
    """Whether the request sends a token, an API key or a sign-in cookie: such answers are not shared by caches."""
    headers = request.headers
    return "Authorization" in headers or "X-API-Key" in headers or ACCESS_COOKIE in request.cookies


def _take(token: str) -> None:
    g.claims = _decoded(token, current_app.config["JWT_SECRET_KEY"])
    if g.claims["exp"] <= now().timestamp():
        raise ExpiredSignatureError("Signature has expired")
    g.actor_id = int(g.claims["sub"])


@lru_cache(maxsize=TOKENS_KNOWN)
def _decoded(token: str, _secret: str) -> JsonObject:
    """The claims of a token of ours, expired or not: its signature says the same each time it comes."""
    return claims_of(decode_token(token, allow_expired=True))


def claims_of(decoded: dict[str, Any]) -> JsonObject:
    """The claims of a decoded token, checked for form; raises KeyError, TypeError, ValueError."""
    user_id = int(decoded["sub"])
    sign_in_id, generation = decoded["sid"], decoded["gen"]
    if not 0 < user_id < 2**63 or not SIGN_IN_ID.fullmatch(sign_in_id):
        raise ValueError("not a token of ours")
    if type(generation) is not int or not 0 < generation < 2**31:
        raise ValueError("not a generation of ours")
    if type(decoded["exp"]) is not int:
        raise ValueError("not a time of ours")
    return decoded


def _read_cookie() -> None:
    token = request.cookies.get(REFRESH_COOKIE if request.path == REFRESH_PATH else ACCESS_COOKIE)
    if token is None:
        return
    _take(token)
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE and not hmac.compare_digest(sent.encode(), str(g.claims["csrf"]).encode()):
        g.claims, g.token_problem = None, NoCsrf()


def check(access: Access, scope: str = "") -> None:
    """Load the person the route needs; raises NotSignedIn (401) or NotAllowed (403). An API key opens
    what its scopes name; a route without a scope no key opens."""
    g.person = None
    if access.token is None:
        return
    if g.token_problem is not None:
        raise g.token_problem
    if g.api_key is not None:
        _check_key(access, scope)
    elif g.claims is not None:
        _check_token(access)
    elif not access.optional:
        raise NotSignedIn()


def refuse_strangers(access: Access) -> None:
    """What can be refused before anything is read or locked; raises NotSignedIn."""
    if not access.optional and g.claims is None and g.api_key is None:
        check(access)


def _check_key(access: Access, scope: str) -> None:
    if not scope or access.permission or access.proof or access.token != "access":
        scope = ""
    loaders: Loaders = current_app.extensions["loaders"]
    is_counted, g.key_is_counted = g.get("key_is_counted", False), True  # a write that is run again is one request
    g.person = loaders.key_holder(g.api_key, scope, is_counted=is_counted)


def _check_token(access: Access) -> None:
    if g.claims.get("type") != access.token:
        raise NotSignedIn("This token is of the wrong kind for this address.", error=INVALID_TOKEN)
    loaders: Loaders = current_app.extensions["loaders"]
    g.person = loaders.person(g.claims)
    if g.person is None:
        raise NotSignedIn("This sign-in has ended. Please sign in again.", error=INVALID_TOKEN)
    if access.permission is not None and not may(g.person.role, access.permission):
        raise NotAllowed(f"Only {' or '.join(ROLE_WORDS[role] for role in roles_with(access.permission))} can do this.")
    if access.proof:
        loaders.proof(g.person, g.claims, access.proof)


def prove(kind: str = "second factor") -> None:
    """For deeds that only some who use a route do, such as staff's on an ordinary one; asks as `Access.proof` does."""
    if has_request_context() and g.get("claims") is not None:
        current_app.extensions["loaders"].proof(g.person, g.claims, kind)


def demand_money_scope() -> None:
    """An API key holds, releases, divides, gives back or pays out money only with the scope that says so, besides that
    of the route, whatever slice this is in. Raises NotForKeys (403)."""
    if has_request_context() and g.get("api_key") is not None:
        current_app.extensions["loaders"].key_holder(g.api_key, MOVES_MONEY, is_counted=True)


def claims() -> Claims:
    """The token's claims; only behind a route that needs one."""
    found: Claims = g.claims.copy()
    return found


def current_user() -> Any:
    """The signed-in person; only behind a route that needs one."""
    return g.person


def local_zone() -> tzinfo:
    """The time zone of whoever asks; UTC where unknown."""
    person = g.get("person")
    return ZoneInfo(person.time_zone) if person is not None else UTC


def reader_language() -> str:
    """The language of whoever asks: of their profile, else of Accept-Language (caches are told), else the first."""
    if not has_request_context():
        return LANGUAGES[0]
    person = g.get("person")
    if person is not None:
        return str(person.language)
    g.reads_language = True
    # Not werkzeug's best_match: to it `lv-LV, en;q=0.5` is English, as `en` stands there letter by letter.
    spoken = (tag.lower().partition("-")[0] for tag, quality in request.accept_languages if quality)
    return next((language for language in spoken if language in LANGUAGES), LANGUAGES[0])


def viewer() -> Any | None:
    """The signed-in person, or None for an anonymous reader."""
    return g.person
