"""What PayPal answers instead of doing it, in our words.

Apart from the rooms: a gateway's part: its errors.
"""

import json

from marketplace.payments.providers.paypal.answers import PayPalJson
from marketplace.payments.providers.provider import Declined, ProviderError, Refused, Unknown, Unreachable

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


class Refusal(Refused):
    """With all PayPal said."""

    def __init__(self, message: str, code: str, body: PayPalJson) -> None:
        super().__init__(message, code)
        self.body = body


def error_of(status: int, content: bytes) -> ProviderError:
    """Ours, for an answer that is none of 2xx."""
    body = _parsed(content)
    issue = _issue(body)
    said = f"{status} {issue}: {body.get('message') or body.get('error_description') or 'no reason given'}"
    if status == 404:
        return Unknown(said, issue)
    if status in {401, 403}:
        # A key somebody is changing must not fail what is under way for good.
        return Unreachable(f"{status} {issue}: PayPal does not accept our key for this.")
    if status < 400 or status in {409, 429} or status >= 500 or issue in STILL_AT_IT:
        return Unreachable(said)
    if issue in DECLINED:
        return Declined(SENTENCE, issue)
    return Refusal(said, issue, body)


def _parsed(content: bytes) -> PayPalJson:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}


def _issue(body: PayPalJson) -> str:
    details = body.get("details") or [{}]
    return str(details[0].get("issue") or body.get("name") or body.get("error") or "")
