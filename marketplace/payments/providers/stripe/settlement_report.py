"""Stripe's own record: balance transactions, by their reporting category.

From https://docs.stripe.com/reports/reporting-categories: a payment captured in part stands there in full, and what was
let go of as a `partial_capture_reversal`; the charge itself says what was captured, so that second line is left out.

Apart from the rooms: a gateway's part: one ability.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from stripe.params import BalanceTransactionListParams

from marketplace.payments.providers.provider import ResourceType, SettlementLine
from marketplace.payments.providers.stripe.account import Account, asking, moment
from marketplace.payments.providers.stripe.money import from_stripe

ABOUT = {
    "charge": ResourceType.PAYMENT,
    "refund": ResourceType.REFUND,
    "refund_failure": ResourceType.REFUND,
    "dispute": ResourceType.CHARGEBACK,
    "dispute_reversal": ResourceType.CHARGEBACK,
    "transfer": ResourceType.PAYOUT,
    "transfer_reversal": ResourceType.PAYOUT,
}
CAME_BACK = {"refund_failure", "transfer_reversal", "dispute_reversal"}


class Book(Account):
    """What Stripe has in its book."""

    def book(self, since: datetime, until: datetime) -> Iterator[SettlementLine]:
        """From `since` up to, not with, `until`, in the currency of the payment, not that of our balance.

        What came back (a refund the bank did not take, a transfer that was reversed, a dispute that was won) is a
        negative line; the line of a dispute has its fee in it, where that is in its currency. The charge
        of a subscription is ResourceType.SUBSCRIPTION and named by its invoice.
        """
        params: BalanceTransactionListParams = {
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
            "limit": 100,
            "expand": ["data.source"],
        }
        with asking():
            entries = self._api.balance_transactions.list(params)
            for entry in entries.auto_paging_iter():
                one = entry.to_dict()
                if one["reporting_category"] in ABOUT and isinstance(one.get("source"), dict):
                    yield self._line(one["reporting_category"], one["source"], one)

    def _line(self, category: str, source: dict[str, Any], entry: dict[str, Any]) -> SettlementLine:
        about = ABOUT[category]
        currency = source["currency"].upper()
        key = (source.get("metadata") or {}).get("key", "")
        object_id = source["id"]
        amount = source["amount"]
        if about is ResourceType.PAYMENT:
            object_id, amount = source.get("payment_intent") or object_id, source["amount_captured"]
            if not key and (invoice := self._invoice_of(object_id)):
                about, object_id = ResourceType.SUBSCRIPTION, invoice
        if category == "transfer_reversal":
            object_id = source["transfer"]
        minor = from_stripe(amount, currency) * (-1 if category in CAME_BACK else 1)
        if about is ResourceType.CHARGEBACK and entry["currency"] == source["currency"]:
            minor += from_stripe(entry["fee"], currency)
        return SettlementLine(
            about=about,
            object_id=object_id,
            key=key,
            amount_minor=minor,
            currency=currency,
            made_at=moment(entry["created"]),
        )

    def _invoice_of(self, intent_id: str) -> str:
        """The invoice it paid; only invoices make payments without our key."""
        found = self._api.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
        ).to_dict()["data"]
        return str(found[0]["invoice"]) if found else ""
