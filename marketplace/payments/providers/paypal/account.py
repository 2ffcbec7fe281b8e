"""One PayPal account: its client, and what it answers instead of doing it, in our words.

Apart from the rooms: a gateway's part: the client that all abilities share.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from paypalserversdk.configuration import Environment
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.o_auth_token import OAuthToken
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient
from requests import Response, Session
from requests.exceptions import RequestException

from marketplace.core.database.db import release_connection
from marketplace.payments.providers.paypal.money import step
from marketplace.payments.providers.provider import Declined, ProviderError, Refused, Unknown, Unreachable

PAYPAL = "https://api-m.paypal.com"
TIMEOUT = 10.0
SKEW = 60  # seconds before its end a token is not used any more
IN_FULL = "return=representation"
DECLINED = {
    "CARD_EXPIRED",
    "COMPLIANCE_VIOLATION",
    "INSTRUMENT_DECLINED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_CANNOT_PAY",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
    "TRANSACTION_REFUSED",
}
STILL_AT_IT = {"PREVIOUS_REQUEST_IN_PROGRESS", "RESOURCE_CONFLICT"}
SENTENCE = "PayPal declined the payment. Choose another way to pay there."

PayPalJson = dict[str, Any]


class Refusal(Refused):
    """With all PayPal said."""

    def __init__(self, message: str, code: str, body: PayPalJson) -> None:
        super().__init__(message, code)
        self.body = body


class Account:
    """The client of one account. `return_url` is where payers of subscriptions come back to.

    `api_url` is empty for the real thing, https://api-m.sandbox.paypal.com or another address. The library knows only
    two addresses, so its session takes every request elsewhere; what the library does not cover goes by that session.
    """

    name = "paypal"
    payouts_remembered = timedelta(days=30)

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        webhook_id: str,
        api_url: str = "",
        return_url: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        self._client_id = client_id
        self._webhook_id = webhook_id
        self._return_url = return_url
        self._session = _Session(api_url or PAYPAL, timeout)
        self._credentials = ClientCredentialsAuthCredentials(
            o_auth_client_id=client_id,
            o_auth_client_secret=client_secret,
            o_auth_token_provider=lambda _, auth: self._valid_token(auth),
            o_auth_clock_skew=SKEW,
        )
        self._token: OAuthToken | None = None
        self._api = self._client()

    def step(self, currency: str, *, paid_out: bool = False) -> int:
        """The smallest part it takes, or pays out; 0 for a currency it does not know."""
        return step(currency)

    def public_key(self) -> str:
        """The client id, for PayPal's own buttons."""
        return self._client_id

    def _ask(self, do: Callable[[PayPalJson], Any], **options: Any) -> PayPalJson:
        """A call of the library; documented JSON goes in as `body` and comes out."""
        with self._asking():
            return _object(do(options).text)

    def _ask_directly(
        self, method: str, path: str, body: PayPalJson | str | None = None, *, key: str = ""
    ) -> PayPalJson:
        """A call the library has no method for; a body that is text goes out as it is."""
        with self._asking():
            headers = {"Content-Type": "application/json", "Accept": "application/json", "Prefer": IN_FULL}
            headers["Authorization"] = f"Bearer {self._valid_token(self._api.oauth_2).access_token}"
            if key:
                headers["PayPal-Request-Id"] = key
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            answer = self._session.request(method, PAYPAL + path, data=text and text.encode(), headers=headers)
            if answer.status_code >= 400:
                raise self._failure(answer.status_code, answer.text)
            return _object(answer.text)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        release_connection()
        try:
            yield
        except ApiException as error:
            raise self._failure(error.response_code, error.response.text) from None
        except (RequestException, ValueError) as error:
            raise Unreachable(f"PayPal gave no answer: {type(error).__name__}.") from None

    def _failure(self, status: int, text: str) -> ProviderError:
        """A token that was taken back is forgotten, by the library's client too."""
        if status == 401:
            self._token, self._api = None, self._client()
        return _error(status, text)

    def _client(self) -> Any:
        return PaypalServersdkClient(
            http_client_instance=self._session,
            environment=Environment.PRODUCTION,
            client_credentials_auth_credentials=self._credentials,
        )

    def _valid_token(self, auth: Any) -> OAuthToken:
        """Asked for by ourselves: the library takes every refusal of a token, a 503 too, for a wrong secret."""
        token = self._token  # without a lock, which would be held while PayPal is silent: two tokens at once do no harm
        if token is None or auth.is_token_expired(token):
            token = self._token = auth.fetch_token()
        return token


class _Session(Session):
    """Sends everything to one address, with one patience."""

    def __init__(self, base: str, timeout: float) -> None:
        super().__init__()
        self.base = base.rstrip("/")
        self.timeout = timeout

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        kwargs["timeout"] = self.timeout
        return super().request(method, str(url).replace(PAYPAL, self.base, 1), *args, **kwargs)


def _object(text: str) -> PayPalJson:
    """A 204 has no body."""
    found: PayPalJson = json.loads(text) if text else {}
    return found


def _error(status: int, text: str) -> ProviderError:
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    issue = _issue(body)
    said = f"{status} {issue}: {body.get('message') or body.get('error_description') or 'no reason given'}"
    if status == 404:
        return Unknown(said, issue)
    if status in {401, 403}:
        # A key somebody is changing must not fail what is under way for good.
        return Unreachable(f"{status} {issue}: PayPal does not accept our key for this.")
    if status in {409, 429} or status >= 500 or issue in STILL_AT_IT:
        return Unreachable(said)
    if issue in DECLINED:
        return Declined(SENTENCE, issue)
    return Refusal(said, issue, body)


def _issue(body: PayPalJson) -> str:
    details = body.get("details") or [{}]
    return str(details[0].get("issue") or body.get("name") or body.get("error") or "")


def link(thing: PayPalJson, *names: str) -> str:
    """The address it names by one of these relations; empty where it has none."""
    return next((str(one["href"]) for one in thing.get("links", []) if one["rel"] in names), "")
