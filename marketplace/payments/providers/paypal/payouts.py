"""Payouts to PayPal accounts, named by their owner's mail address; there is nothing to set up before.

PayPal does one `sender_batch_id` once in 30 days and answers a second time with a link
to the first; it has no search by it, so what got lost is looked for among the webhooks PayPal kept.

Apart from the rooms: a gateway's part: one ability.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode

from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.account import Account
from marketplace.payments.providers.paypal.answers import PayPalJson, link
from marketplace.payments.providers.paypal.errors import Refusal
from marketplace.payments.providers.paypal.money import from_paypal, to_paypal
from marketplace.payments.providers.provider import Done, NotSettled, PayeeState, PayoutState, Unreachable

KEPT = timedelta(days=30)
FAILED = {"FAILED", "RETURNED", "BLOCKED", "REFUNDED", "REVERSED", "DENIED", "CANCELED"}
BATCH_EVENTS = ("PAYMENT.PAYOUTSBATCH.PROCESSING", "PAYMENT.PAYOUTSBATCH.SUCCESS", "PAYMENT.PAYOUTSBATCH.DENIED")
LONGEST_ITEM_ID = 63


class Payouts(Account):
    """What those who earned it get."""

    def register_payee(self, *, payee_id: str | None, user_id: int, email: str, country: str, key: str) -> PayeeState:
        """Whoever has a mail address can be paid, the one they have now; who has no account there yet has 30 days to
        make one."""
        return PayeeState(id=email, ready=True)

    def fetch_payee(self, payee_id: str) -> PayeeState:
        """PayPal tells nobody whether an address has an account."""
        return PayeeState(id=payee_id, ready=True)

    def pay_out(self, *, payee_id: str, amount_minor: int, currency: str, key: str, reference: str) -> PayoutState:
        """A batch of one; it is DONE when the payee has it."""
        item = {
            "recipient_type": "EMAIL",
            "receiver": payee_id,
            "amount": {"currency": currency, "value": to_paypal(amount_minor, currency)},
            "sender_item_id": key[:LONGEST_ITEM_ID],
            "note": reference,
        }
        body = {"sender_batch_header": {"sender_batch_id": key}, "items": [item]}
        try:
            batch = self._api.post("/v1/payments/payouts", body=body, key=key)
        except Refusal as error:
            if error.code == "INSUFFICIENT_FUNDS":
                raise NotSettled("PayPal has not settled the money for this payout yet.") from None
            if not _is_repeated(error.body):
                raise
            return self._made_before(error.body, key)
        return self.fetch_payout(batch["batch_header"]["payout_batch_id"])

    def fetch_payout(self, payout_id: str) -> PayoutState:
        """How it stands; raises Unknown."""
        return _payout(self._api.get("/v1/payments/payouts/{}", payout_id))

    def find_payout(self, key: str) -> PayoutState:
        """By the webhooks of the last 30 days; where they do not tell, it is Unreachable: it may have been done."""
        for event in self._events(now() - KEPT, now(), *BATCH_EVENTS):
            header = event["resource"]["batch_header"]
            if header["sender_batch_header"]["sender_batch_id"] == key:
                return self.fetch_payout(header["payout_batch_id"])
        raise Unreachable("PayPal does not say whether it has that payout; the same key may be sent for 30 days.")

    def _made_before(self, said: PayPalJson, key: str) -> PayoutState:
        """By the link of the refusal; some come without."""
        named = re.search(r"/v1/payments/payouts/([\w-]+)", json.dumps(said.get("links") or []))
        return self.fetch_payout(named.group(1)) if named else self.find_payout(key)

    def _events(self, since: datetime, until: datetime, *kinds: str) -> Iterator[PayPalJson]:
        """The webhooks PayPal sent, or would have."""
        for kind in kinds:
            asked = {"event_type": kind, "start_time": rfc3339(since), "end_time": rfc3339(until), "page_size": 100}
            path = "/v1/notifications/webhooks-events?" + urlencode(asked)
            while path:
                page = self._api.get(path)
                yield from page["events"]
                path = re.sub(r"^https?://[^/]+", "", link(page, "next"))


def _is_repeated(said: PayPalJson) -> bool:
    details = said.get("details") or []
    return any("sender_batch_id" in json.dumps(one).lower() for one in details)


def _payout(batch: PayPalJson) -> PayoutState:
    header, items = batch["batch_header"], batch.get("items") or []
    item = items[0] if items else {}
    said = item.get("transaction_status") or header["batch_status"]
    amount = (item.get("payout_item") or header)["amount"]
    failure = (item.get("errors") or {}).get("message") or said.lower()
    return PayoutState(
        id=header["payout_batch_id"],
        status=Done.DONE if item and said == "SUCCESS" else Done.FAILED if said in FAILED else Done.PENDING,
        amount_minor=from_paypal(amount["value"], amount["currency"]),
        currency=amount["currency"],
        failure=failure if said in FAILED else "",
        key=header["sender_batch_header"]["sender_batch_id"],
    )


def rfc3339(moment: datetime) -> str:
    """As PayPal wants moments: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
