"""One PayPal account.

Apart from the rooms: a gateway's part: what all abilities share.
"""

from datetime import timedelta

from marketplace.payments.providers.paypal.certificates import Certificates
from marketplace.payments.providers.paypal.client import TIMEOUT, Client
from marketplace.payments.providers.paypal.money import step


class Account:
    """One account. `return_url` is where payers of subscriptions come back to.

    `api_url` is empty for the real thing, https://api-m.sandbox.paypal.com or another address.
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
        self._api = Client(client_id=client_id, client_secret=client_secret, api_url=api_url, timeout=timeout)
        self._certificates = Certificates(self._api)

    def step(self, currency: str, *, paid_out: bool = False) -> int:
        """The smallest part it takes, or pays out; 0 for a currency it does not know."""
        return step(currency)

    def public_key(self) -> str:
        """The client id, for PayPal's own buttons."""
        return self._client_id
