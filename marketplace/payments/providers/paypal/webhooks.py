"""What PayPal tells us by itself.

Apart from the rooms: a gateway's part: one ability.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from zlib import crc32

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.account import Account
from marketplace.payments.providers.paypal.answers import PayPalJson
from marketplace.payments.providers.paypal.payments import order_id
from marketplace.payments.providers.provider import Forged, ResourceType, WebhookEvent

# PayPal repeats a webhook up to 25 times over three days and does not say that it signs it anew.
OLDEST = timedelta(days=4)
ALGORITHM, CERTIFICATE = "paypal-auth-algo", "paypal-cert-url"
NUMBER, TIME, SIGNATURE = "paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig"
SIGNED = (ALGORITHM, CERTIFICATE, NUMBER, TIME, SIGNATURE)
BY_BEGINNING = {
    "CHECKOUT.ORDER.": ResourceType.PAYMENT,
    "PAYMENT.AUTHORIZATION.": ResourceType.PAYMENT,
    "PAYMENT.CAPTURE.REFUNDED": ResourceType.REFUND,
    "PAYMENT.CAPTURE.REVERSED": ResourceType.REFUND,
    "PAYMENT.REFUND.": ResourceType.REFUND,
    "PAYMENT.CAPTURE.": ResourceType.PAYMENT,
    "PAYMENT.PAYOUTSBATCH.": ResourceType.PAYOUT,
    "PAYMENT.PAYOUTS-ITEM.": ResourceType.PAYOUT,
    "CUSTOMER.DISPUTE.": ResourceType.CHARGEBACK,
    "BILLING.SUBSCRIPTION.": ResourceType.SUBSCRIPTION,
    "PAYMENT.SALE.": ResourceType.SUBSCRIPTION,
}


class Notices(Account):
    """Webhooks."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Checked here, by PayPal's certificate; raises Forged, and Unreachable where that cannot be had now."""
        given = {name.lower(): value for name, value in headers.items()}
        self._demand_signature(given, body)
        event = _parsed(body)
        about, object_id = _subject(event)
        return WebhookEvent(
            event_id=event["id"],
            kind=event["event_type"],
            about=about,
            object_id=object_id,
            created_at=datetime.fromisoformat(event["create_time"]),
        )

    def _demand_signature(self, given: Mapping[str, str], body: bytes) -> None:
        """What is signed is `id|time|webhook id|CRC32 of the body`. A checksum is no hash: whoever has one webhook of
        ours could write another body to it, which is why nothing that a webhook says is believed."""
        if any(name not in given for name in SIGNED):
            raise Forged("It is not signed.")
        if given[ALGORITHM] != "SHA256withRSA":
            raise Forged("It is signed in a way PayPal does not use.")
        if _age(given[TIME]) > OLDEST:
            raise Forged("It is older than four days.")
        signature = _decoded(given[SIGNATURE])
        signed = f"{given[NUMBER]}|{given[TIME]}|{self._webhook_id}|{crc32(body)}"
        try:
            self._certificates.key(given[CERTIFICATE]).verify(signature, signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Forged("PayPal did not sign this.") from None


def _decoded(signature: str) -> bytes:
    try:
        return b64decode(signature, validate=True)
    except ValueError:
        raise Forged("Its signature is no base64.") from None


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
    elif about is ResourceType.CHARGEBACK:
        object_id = thing.get("dispute_id") or ""
    elif kind.startswith("PAYMENT.SALE."):
        object_id = thing.get("billing_agreement_id") or ""
    else:
        object_id = thing.get("id") or ""
    return (about, object_id) if object_id else (ResourceType.OTHER, str(thing.get("id") or ""))
