"""SMS by Twilio's Messages API."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marketplace.kit.clock import now
from marketplace.kit.lazy_module import lazy_module
from marketplace.notifications.gateways.channel import OutboundMessage, Refused, TryLater

requests = lazy_module("requests.exceptions")
twilio = lazy_module("twilio.rest")
twilio_exceptions = lazy_module("twilio.base.exceptions")
twilio_http = lazy_module("twilio.http.http_client")

TWILIO = "https://api.twilio.com"
TIMEOUT = 10.0
LONGEST = 480  # three parts
LOOK_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class SmsChannel:
    """One account and the number (or messaging service) it sends from."""

    account: str
    token: str
    sender: str
    api_url: str = ""

    def send(self, letter: OutboundMessage) -> str:
        """Twilio's id. Twilio knows no idempotency key, so before a repeat it is asked what it has sent."""
        client = twilio.Client(self.account, self.token, http_client=_HttpClient(self.api_url or TWILIO))
        body = letter.text[:LONGEST]
        try:
            earlier = self._sent_before(client, letter.to, body) if letter.repeated else None
            return earlier or str(client.messages.create(to=letter.to, from_=self.sender, body=body).sid)
        except twilio_exceptions.TwilioRestException as error:
            later = error.status == 429 or error.status >= 500
            raise (TryLater if later else Refused)(f"{error.status} {error.code}: {error.msg}") from None
        except (twilio_exceptions.TwilioException, requests.RequestException) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from None

    def _sent_before(self, client: Any, to: str, body: str) -> str | None:
        recent = client.messages.list(to=to, date_sent_after=now() - LOOK_BACK, limit=50)
        return next((str(message.sid) for message in recent if message.body == body), None)


class _HttpClient:
    """Twilio's own client, to another address where one is named."""

    def __init__(self, base: str) -> None:
        self.sender = twilio_http.TwilioHttpClient(timeout=TIMEOUT)
        self.base = base.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Every address Twilio's library builds starts with its own host."""
        return self.sender.request(method, url.replace(TWILIO, self.base, 1), *args, **kwargs)
