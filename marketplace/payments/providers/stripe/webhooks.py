"""What Stripe tells us by itself.

Apart from the rooms: a gateway's part: one ability.
"""

import json
from collections.abc import Mapping
from typing import Any

from stripe import SignatureVerificationError, WebhookSignature

from marketplace.payments.providers.provider import Forged, ResourceType, WebhookEvent
from marketplace.payments.providers.stripe.account import Account, moment

TOLERANCE = 300
BY_BEGINNING = {
    "payment_intent.": ResourceType.PAYMENT,
    "charge.refund.": ResourceType.REFUND,
    "charge.dispute.": ResourceType.CHARGEBACK,
    "refund.": ResourceType.REFUND,
    "charge.": ResourceType.PAYMENT,
    "transfer.": ResourceType.PAYOUT,
    "account.updated": ResourceType.PAYEE,
    "customer.subscription.": ResourceType.SUBSCRIPTION,
    "invoice.": ResourceType.SUBSCRIPTION,
}


class Notices(Account):
    """Webhooks."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """The signature is checked by Stripe's own code; raises Forged, after 300 seconds as well."""
        signature = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), None)
        if not any(_fits(body, signature, secret) for secret in self._webhook_secrets):
            raise Forged("The signature does not fit, or it is older than five minutes.")
        event = json.loads(body)
        about, object_id = _subject(event)
        made_at = moment(event["created"])
        return WebhookEvent(
            event_id=event["id"], kind=event["type"], about=about, object_id=object_id, created_at=made_at
        )


def _fits(body: bytes, signature: str | None, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, signature, secret, TOLERANCE))
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


def _subject(event: dict[str, Any]) -> tuple[ResourceType, str]:
    """What it is about and that thing's id, as the other methods take it."""
    kind, thing = event["type"], event["data"]["object"]
    about = next((about for beginning, about in BY_BEGINNING.items() if kind.startswith(beginning)), ResourceType.OTHER)
    if kind.startswith("invoice."):
        object_id = ((thing.get("parent") or {}).get("subscription_details") or {}).get("subscription")
    elif thing.get("object") == "charge":
        object_id = thing.get("payment_intent")
    else:
        object_id = thing.get("id")
    return (about, object_id) if object_id else (ResourceType.OTHER, thing.get("id") or "")
