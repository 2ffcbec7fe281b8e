"""PayPal's REST API over HTTP.

Apart from the rooms: a gateway's part: the client that all abilities share.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import local
from typing import Any, NamedTuple
from urllib.parse import quote

from requests import PreparedRequest, Response, Session
from requests.exceptions import RequestException

from marketplace.core.database.db import release_connection
from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.answers import PayPalJson
from marketplace.payments.providers.paypal.errors import error_of
from marketplace.payments.providers.provider import Unreachable

PAYPAL = "https://api-m.paypal.com"
TIMEOUT = 10.0
SKEW = timedelta(seconds=60)  # before its end a token is not used any more
IN_FULL = {"Accept": "application/json", "Prefer": "return=representation"}
FilePart = tuple[str, bytes, str]  # name, content, type
Auth = Callable[[PreparedRequest], PreparedRequest]


class _Token(NamedTuple):
    text: str
    usable_until: datetime


class Client:
    """Asks as one account; raises Unreachable, Unknown, Declined or Refusal. `timeout` in seconds."""

    def __init__(self, *, client_id: str, client_secret: str, api_url: str = "", timeout: float = TIMEOUT) -> None:
        self.api_url = (api_url or PAYPAL).rstrip("/")
        self._credentials = (client_id, client_secret)
        self._timeout = timeout
        self._token: _Token | None = None
        self._local = local()

    def get(self, path: str, *ids: str, **query: str | int) -> PayPalJson:
        """The ids go where `path` has braces."""
        return self._ask("GET", _filled(path, ids), params=query)

    def post(self, path: str, *ids: str, body: PayPalJson | None = None, key: str = "") -> PayPalJson:
        """PayPal does what has the same `key` once and answers the same."""
        headers = {"Content-Type": "application/json"} | ({"PayPal-Request-Id": key} if key else {})
        return self._ask("POST", _filled(path, ids), json=body, headers=headers)

    def post_form(self, path: str, *ids: str, said: PayPalJson, files: dict[str, FilePart], key: str) -> PayPalJson:
        """As `post`, where PayPal wants a form: what is said is its part `input`."""
        parts = {"input": (None, json.dumps(said), "application/json"), **files}
        return self._ask("POST", _filled(path, ids), files=parts, headers={"PayPal-Request-Id": key})

    def download(self, url: str, *, largest: int) -> tuple[int, bytes]:
        """Status and body of any address, which is told nothing of us; Unreachable too above `largest` bytes."""
        content = b""
        with self._reaching(), self._send("GET", url, auth=_nobody, stream=True) as answer:
            for chunk in answer.iter_content(largest):
                content += chunk
                if len(content) > largest:
                    raise ValueError("too large")
        return answer.status_code, content

    def _ask(self, method: str, path: str, **request: Any) -> PayPalJson:
        headers = IN_FULL | request.pop("headers", {})
        with self._reaching():
            answer = self._send(method, self.api_url + path, auth=self._bearer(), headers=headers, **request)
            if answer.status_code == 401:  # the token was taken back, and nothing was done
                self._token = None
                answer = self._send(method, self.api_url + path, auth=self._bearer(), headers=headers, **request)
            if not 200 <= answer.status_code < 300:
                raise error_of(answer.status_code, answer.content)
            return _object(answer)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        release_connection()
        try:
            yield
        except (RequestException, ValueError) as error:
            raise Unreachable(f"PayPal gave no answer: {type(error).__name__}.") from None

    def _send(self, method: str, url: str, **request: Any) -> Response:
        """Followed redirects would turn a POST into a GET, and lead a certificate's address elsewhere."""
        return self._session().request(method, url, timeout=self._timeout, allow_redirects=False, **request)

    def _session(self) -> Session:
        """One for each thread, and after a fork another: two processes must not read from the same connection."""
        if getattr(self._local, "process", None) != os.getpid():
            self._local.process, self._local.session = os.getpid(), Session()
        session: Session = self._local.session
        return session

    def _bearer(self) -> Auth:
        token = self._token  # without a lock, which would be held while PayPal is silent: two tokens at once do no harm
        if token is None or token.usable_until <= now():
            token = self._token = self._new_token()
        return _with_token(token.text)

    def _new_token(self) -> _Token:
        """Whatever PayPal has against it, nothing is wrong with what the token is for: raises Unreachable only."""
        url, asked = f"{self.api_url}/v1/oauth2/token", {"grant_type": "client_credentials"}
        answer = self._send("POST", url, auth=self._credentials, data=asked)
        if answer.status_code != 200:
            raise Unreachable(f"PayPal gives us no token: {error_of(answer.status_code, answer.content)}")
        said = _object(answer)
        if not said.get("access_token"):
            raise ValueError("no token")
        return _Token(str(said["access_token"]), now() + timedelta(seconds=int(said.get("expires_in") or 0)) - SKEW)


def _nobody(request: PreparedRequest) -> PreparedRequest:
    """Without it, requests would look for a password of ours in ~/.netrc."""
    return request


def _with_token(token: str) -> Auth:
    def add(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return add


def _filled(path: str, ids: tuple[str, ...]) -> str:
    return path.format(*(quote(one, safe="") for one in ids)) if ids else path


def _object(answer: Response) -> PayPalJson:
    """A 204 has no body."""
    found = answer.json() if answer.content else {}
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found
