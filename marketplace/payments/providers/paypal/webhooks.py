"""What PayPal tells us by itself.

Apart from the rooms: a gateway's part: one ability.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.account import Account, PayPalJson
from marketplace.payments.providers.paypal.payments import order_id
from marketplace.payments.providers.provider import Forged, ResourceType, WebhookEvent

# PayPal repeats a webhook up to 25 times over three days and does not say that it signs it anew.
OLDEST = timedelta(days=4)
SIGNED = {
    "auth_algo": "paypal-auth-algo",
    "cert_url": "paypal-cert-url",
    "transmission_id": "paypal-transmission-id",
    "transmission_sig": "paypal-transmission-sig",
    "transmission_time": "paypal-transmission-time",
}
VERIFY = "/v1/notifications/verify-webhook-signature"
BY_BEGINNING = {
    "CHECKOUT.ORDER.": ResourceType.PAYMENT,
    "PAYMENT.AUTHORIZATION.": ResourceType.PAYMENT,
    "PAYMENT.CAPTURE.REFUNDED": ResourceType.REFUND,
    "PAYMENT.CAPTURE.REVERSED": ResourceType.REFUND,
    "PAYMENT.REFUND.": ResourceType.REFUND,
    "PAYMENT.CAPTURE.": ResourceType.PAYMENT,
    "PAYMENT.PAYOUTSBATCH.": ResourceType.PAYOUT,
    "PAYMENT.PAYOUTS-ITEM.": ResourceType.PAYOUT,
    "BILLING.SUBSCRIPTION.": ResourceType.SUBSCRIPTION,
    "PAYMENT.SALE.": ResourceType.SUBSCRIPTION,
}


class Notices(Account):
    """Webhooks."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """PayPal itself is asked whether it sent this, so it can be Unreachable too; raises Forged."""
        given = {name.lower(): value for name, value in headers.items()}
        if any(name not in given for name in SIGNED.values()):
            raise Forged("It is not signed.")
        if _age(given["paypal-transmission-time"]) > OLDEST:
            raise Forged("It is older than four days.")
        event = _parsed(body)
        if self._ask_directly("POST", VERIFY, self._question(given, body))["verification_status"] != "SUCCESS":
            raise Forged("PayPal did not sign this.")
        about, object_id = _subject(event)
        return WebhookEvent(
            event_id=event["id"],
            kind=event["event_type"],
            about=about,
            object_id=object_id,
            created_at=datetime.fromisoformat(event["create_time"]),
        )

    def _question(self, given: Mapping[str, str], body: bytes) -> str:
        """The event goes back letter for letter: written anew it would not fit its signature."""
        asked = {name: given[header] for name, header in SIGNED.items()} | {"webhook_id": self._webhook_id}
        return f'{json.dumps(asked)[:-1]}, "webhook_event": {body.decode()}}}'


def _age(sent: str) -> timedelta:
    try:
        return now() - datetime.fromisoformat(sent)
    except (ValueError, TypeError):
        raise Forged("It does not say when it was sent.") from None


def _parsed(body: bytes) -> PayPalJson:
    try:
        event = json.loads(body)
    except ValueError:
        raise Forged("It is no JSON.") from None
    if not isinstance(event, dict):
        raise Forged("It is no event.")
    return event


def _subject(event: PayPalJson) -> tuple[ResourceType, str]:
    """What it is about and that thing's id, as the other methods take it."""
    kind, thing = event["event_type"], event["resource"]
    about = next((about for beginning, about in BY_BEGINNING.items() if kind.startswith(beginning)), ResourceType.OTHER)
    if about is ResourceType.PAYMENT and not kind.startswith("CHECKOUT.ORDER."):
        object_id = order_id(thing)
    elif about is ResourceType.PAYOUT:
        object_id = (thing.get("batch_header") or thing).get("payout_batch_id") or ""
    elif kind.startswith("PAYMENT.SALE."):
        object_id = thing.get("billing_agreement_id") or ""
    else:
        object_id = thing.get("id") or ""
    return (about, object_id) if object_id else (ResourceType.OTHER, str(thing.get("id") or ""))
