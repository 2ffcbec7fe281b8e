"""What every answer carries: request id, validators, security headers; and /api/v1 as /api."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import orjson
from flask import Flask, Response, current_app, g, request

from marketplace.core.http.access import has_credentials
from marketplace.core.http.query_parameters import name_ignored
from marketplace.kit.errors import Malformed, PreconditionFailed
from marketplace.kit.network import client_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
HOST = re.compile(r"[A-Za-z0-9._~%-]+(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
ONE_RANGE = re.compile(
    r"[ \t]*bytes[ \t]*=[ \t]*(?:(?P<first>\d{1,19})-(?P<last>\d{0,19})|-\d{1,19})[ \t]*", re.IGNORECASE
)
COUNTERS = frozenset({"views_count", "contact_count", "responses_count", "pending_applications_count"})
SHARED_PARAMETERS = frozenset({"category", "page", "per_page", "sort", "status"})
SHARED_PAGES = frozenset({"1", "2", "3"})
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
LIMITERS_RETRY = "RateLimit-Retry"
"""Where the limiter writes when to come back, to everything: Retry-After is what an error itself says."""
KINDS_OF_CREDENTIALS = ("Authorization", "X-API-Key", "Cookie")
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def init_app(app: Flask) -> None:
    """Wrap the WSGI application and hook in before and after each request."""
    app.wsgi_app = _VersionOne(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(_name_request)
    app.before_request(_ignore_odd_ranges)
    app.after_request(_finish)


class _VersionOne:
    """WSGI middleware: /api/v1/… is served as /api/…."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self.inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/api/v1" or path.startswith("/api/v1/"):
            environ["PATH_INFO"] = "/api" + path[len("/api/v1") :]
        return self.inner(environ, start_response)


class OneAddress:
    """Writes REMOTE_ADDR as one client has it, for everything behind: limits, signals, the audit log, sockets.
    What a proxy names that is no address (`unknown`) leaves the client that of the connection."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self.inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said = environ.get("REMOTE_ADDR") or ""
        connected = environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR") or ""
        environ["REMOTE_ADDR"] = client_address(said) or client_address(connected) or connected or said
        return self.inner(environ, start_response)


def _name_request() -> None:
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)


def names_host(environ: dict[str, Any]) -> bool:
    """Whether the Host header is one that RFC 9112, 3.2 allows: exactly one; none only in HTTP/1.0."""
    host = environ.get("HTTP_HOST", "")
    return HOST.fullmatch(host) is not None if host else environ.get("SERVER_PROTOCOL") == "HTTP/1.0"


def refuse_without_host() -> None:
    """Answer 400 to every path where `names_host` says no."""
    if not names_host(request.environ):
        raise Malformed("Say by one Host header which site is meant, such as Host: www.example.com.")


def _ignore_odd_ranges() -> None:
    """RFC 9110, 14.2: of other units, more than one, malformed, not asked by GET: then the whole is sent; nor does
    a range stand before If-None-Match (13.2.2). werkzeug would answer 416, or a part of what is known already."""
    found = ONE_RANGE.fullmatch(request.environ.get("HTTP_RANGE", ""))
    is_backwards = found is not None and found["first"] and found["last"] and int(found["first"]) > int(found["last"])
    if found is None or is_backwards or request.method != "GET" or request.if_none_match:
        request.environ.pop("HTTP_RANGE", None)


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", API_POLICY)
    response.vary.add("Origin")  # CORS headers name one front end: no cache may give them to another
    name_ignored(response)
    response.headers.pop(LIMITERS_RETRY, None)
    if "RateLimit-Reset" in response.headers:  # the limiter writes a moment, the draft standard says seconds
        seconds = int(response.headers["RateLimit-Reset"]) - int(time.time())
        response.headers["RateLimit-Reset"] = str(max(seconds, 0))
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def validated(response: Response) -> Response:
    """Give a GET its ETag and answer 304 where the client has it already."""
    response.set_etag(etag_of(response))
    response.headers.setdefault("Cache-Control", _keeping())
    response.vary.update(KINDS_OF_CREDENTIALS)
    if g.get("reads_language"):
        response.vary.add("Accept-Language")
    return response.make_conditional(request)  # type: ignore[return-value]


def _keeping() -> str:
    """What was asked with a token is kept by nobody; the rest for a second, which is enough for a proxy
    to answer a crowd once, and served that much longer while it is fetched anew."""
    seconds = current_app.config["PUBLIC_CACHE_SECONDS"]
    if has_credentials():
        return "private, no-store"
    return f"public, max-age={seconds}, stale-while-revalidate={seconds}" if seconds else "public, no-cache"


def shared_name() -> str | None:
    """The name of this list in the shared cache: only what strangers ask often, the first pages by few
    parameters; None for everything else, and for whatever comes with a token."""
    args = request.args
    if has_credentials() or not set(args) <= SHARED_PARAMETERS or args.get("page", "1") not in SHARED_PAGES:
        return None
    # Encoded, so that no value reads as two; by key alone, as the first of several values counts.
    asked = urlencode(sorted(args.items(multi=True), key=itemgetter(0)))
    return hashlib.blake2b(f"{quote(request.path)}?{asked}".encode(), digest_size=32).hexdigest()


def etag_of(response: Response) -> str:
    """A digest of the body; the counters of one thing (its body opens with its id) do not count,
    so that reading does not change it."""
    body = response.get_data()
    if body.startswith(b'{"id":'):
        body = _without_counters(body)
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def _without_counters(body: bytes) -> bytes:
    thing: dict[str, Any] = orjson.loads(body)
    return orjson.dumps({key: value for key, value in thing.items() if key not in COUNTERS})


def check_if_match(present: Callable[[], Response]) -> None:
    """Raises PreconditionFailed (412) when If-Match names another version than `present()`."""
    wanted = request.if_match
    if wanted and not wanted.contains(etag_of(present())):
        raise PreconditionFailed()
