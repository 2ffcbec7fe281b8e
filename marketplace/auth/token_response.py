"""How tokens are answered: in the body, or as cookies for browsers that ask for them.

Apart from the rooms: it builds HTTP responses for the routes of two slices.
"""

from typing import Any

from flask import Response, request
from flask_jwt_extended import decode_token

from marketplace.core.http import cookies
from marketplace.core.http.blueprint import Created, as_response
from marketplace.kit.errors import NotSignedIn

ACCEPTS_CHALLENGE = "X-Accepts-Challenge"
YES = {"1", "true", "yes"}


class TwoFactorRequired(NotSignedIn):
    """401 for clients that do not know challenges; the challenge token stands beside the sentence."""

    code = "two_factor_required"

    def __init__(self, challenge: dict[str, Any]) -> None:
        super().__init__(challenge["message"])
        self.beside = {name: value for name, value in challenge.items() if name != "message"}


def entering(found: dict[str, Any], *, created: bool = False) -> Response:
    """Answer a sign-in: tokens in the body, or in cookies that scripts cannot read. A challenge is a 200 for clients
    that say they know it by header, else TwoFactorRequired (401), as they would take it for success."""
    if "challenge_token" in found and request.headers.get(ACCEPTS_CHALLENGE, "") not in YES:
        raise TwoFactorRequired(found)
    if "verification_required" in found:
        return as_response(found, 202)
    wished = "access_token" in found and cookies.are_wished()
    shown = {key: value for key, value in found.items() if not (wished and key in cookies.TOKENS)}
    if wished:
        shown["csrf_token"] = decode_token(found["access_token"])["csrf"]
        shown["csrf_refresh_token"] = decode_token(found["refresh_token"])["csrf"]
    response = as_response(_created(shown) if created else shown, 200)
    if wished:
        cookies.put(response, found)
    return response


def leaving(found: dict[str, Any]) -> Response:
    """Answer a sign-out and delete the cookies."""
    response = as_response(found, 200)
    cookies.clear(response)
    return response


def _created(found: dict[str, Any]) -> Created:
    rest = {key: value for key, value in found.items() if key not in {"user", "message"}}
    return Created("user", found["user"], "/api/auth/users", found["message"], **rest)
