"""One Stripe account: its client, and what it answers instead of doing it, in our words.

Apart from the rooms: a gateway's part: the client that all abilities share.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from stripe import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    CardError,
    InvalidRequestError,
    RateLimitError,
    RequestsClient,
    StripeClient,
    StripeError,
)

from marketplace.core.database.db import release_connection
from marketplace.payments.providers.provider import Declined, ProviderError, Refused, Unknown, Unreachable
from marketplace.payments.providers.stripe.money import step

TIMEOUT = 10.0
# Stripe's search lags behind "less than a minute", in bad times an hour; its lists do not.
NOT_YET_SEARCHABLE = timedelta(hours=2)
LATER = (APIConnectionError, APIError, RateLimitError)


class Account:
    """The client of one account.

    `webhook_secret` may be several, separated by commas: Stripe signs what happens to connected accounts with another
    secret than our own events. `return_url` is where payees and subscribers come back to.
    """

    name = "stripe"
    payouts_remembered = timedelta(hours=23)

    def __init__(
        self,
        *,
        secret_key: str,
        publishable_key: str,
        webhook_secret: str,
        api_url: str = "",
        return_url: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        self._publishable_key = publishable_key
        self._webhook_secrets = [one.strip() for one in webhook_secret.split(",") if one.strip()]
        self._return_url = return_url
        self._api = StripeClient(
            secret_key,
            base_addresses={"api": api_url.rstrip("/"), "files": api_url.rstrip("/")} if api_url else None,
            http_client=RequestsClient(timeout=timeout),
            max_network_retries=0,
        ).v1

    def step(self, currency: str, *, paid_out: bool = False) -> int:
        """The smallest part it takes, or pays out; 0 for a currency it does not know."""
        return step(currency, paid_out=paid_out)

    def public_key(self) -> str:
        """For Stripe's own front end library."""
        return self._publishable_key


@contextmanager
def asking() -> Iterator[None]:
    """Stripe's errors become ours. Its own messages hold no secret but that about a wrong key, which is left out."""
    release_connection()
    try:
        yield
    except StripeError as error:
        raise _ours(error) from None


def _ours(error: StripeError) -> ProviderError:
    code = str(error.code or getattr(error.error, "code", None) or "")
    said = f"{error.http_status or 'no answer'} {code}: {error.user_message or type(error).__name__}"
    if isinstance(error, CardError):
        return Declined(error.user_message or "The card was declined.", _decline_code(error))
    if error.http_status == 404 or code == "account_invalid":
        return Unknown(said, code)
    if isinstance(error, (AuthenticationError, stripe.PermissionError)):
        # A key somebody is changing must not fail what is under way for good.
        return Unreachable(f"{error.http_status} {code}: Stripe does not accept our key for this.")
    if isinstance(error, LATER):
        return Unreachable(said)
    return Refused(said, code or _kind(error))


def _decline_code(error: CardError) -> str:
    return str(getattr(error.error, "decline_code", None) or error.code or "")


def _kind(error: StripeError) -> str:
    if isinstance(error, InvalidRequestError):
        return "invalid_request_error"
    return str(getattr(error.error, "type", None) or "")


def moment(seconds: int) -> datetime:
    """Stripe counts seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def with_key(key: str) -> str:
    """A search for what carries our key."""
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"metadata['key']:'{escaped}'"


def carries(thing: dict[str, Any], key: str) -> bool:
    """Whether it is the one; a search does not look at the case."""
    return bool((thing.get("metadata") or {}).get("key") == key)
