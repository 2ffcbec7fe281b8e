"""Tokens in cookies, for browsers that want it: scripts never see them, and writes need a header beside them.

Double submit (OWASP CSRF Prevention Cheat Sheet): the value a page reads from the csrf cookie stands,
signed, inside the token too.
"""

from typing import Any, TypedDict

from flask import Response, current_app, request
from flask_jwt_extended import decode_token

ACCESS_COOKIE, REFRESH_COOKIE = "access_token", "refresh_token"
CSRF_COOKIE, CSRF_REFRESH_COOKIE, CSRF_HEADER = "csrf", "csrf_refresh", "X-CSRF-Token"
REFRESH_PATH = "/api/auth/refresh"
REFRESH_PATHS = (REFRESH_PATH, "/api/v1/auth/refresh")
WISH = "X-Sign-In"
TOKENS = ("token", "access_token", "refresh_token")


def are_wished() -> bool:
    """Whether the settings allow cookies and whoever asks wants them (X-Sign-In: cookie)."""
    return bool(current_app.config["COOKIE_SIGN_IN"]) and (
        request.headers.get(WISH, "").lower() == "cookie" or REFRESH_COOKIE in request.cookies
    )


def put(response: Response, tokens: dict[str, Any]) -> None:
    """Set the pair; the refresh token travels to the address (in its two spellings) that takes it."""
    for name, csrf, token, paths in (
        (ACCESS_COOKIE, CSRF_COOKIE, tokens["access_token"], ("/",)),
        (REFRESH_COOKIE, CSRF_REFRESH_COOKIE, tokens["refresh_token"], REFRESH_PATHS),
    ):
        claims = decode_token(token)
        age = int(claims["exp"] - claims["iat"])
        for path in paths:
            response.set_cookie(name, token, max_age=age, path=path, httponly=True, **_common())
        response.set_cookie(csrf, claims["csrf"], max_age=age, path="/", **_common())


def clear(response: Response) -> None:
    """Delete the sign-in cookies and their CSRF twins in this answer."""
    everywhere = ((name, "/") for name in (ACCESS_COOKIE, CSRF_COOKIE, CSRF_REFRESH_COOKIE))
    for name, path in (*everywhere, *((REFRESH_COOKIE, path) for path in REFRESH_PATHS)):
        response.delete_cookie(name, path=path, **_common())


class _Common(TypedDict):
    secure: bool
    samesite: str


def _common() -> _Common:
    config = current_app.config
    return {"secure": config["COOKIE_SECURE"], "samesite": config["COOKIE_SAME_SITE"]}
