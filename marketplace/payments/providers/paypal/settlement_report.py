"""PayPal's own record: the Transaction Search.

What was done appears there within three hours, 31 days at a time; the event codes stand in
https://developer.paypal.com/reports/reference/t-codes.

Apart from the rooms: a gateway's part: one ability.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from marketplace.kit.clock import now
from marketplace.payments.providers.paypal.answers import PayPalJson
from marketplace.payments.providers.paypal.chargebacks import Chargebacks
from marketplace.payments.providers.paypal.money import minor_of
from marketplace.payments.providers.paypal.payouts import Payouts, rfc3339
from marketplace.payments.providers.provider import PaymentState, ResourceType, SettlementLine

LONGEST_RANGE = timedelta(days=31)
PAGE = 500
SUBSCRIPTION, PAYMENT, REFUND, PAYOUT = "T0002", "T0006", "T1107", "T0001"
PAYOUT_CAME_BACK = {"T1114", "T1115"}
REVERSED, CHARGED_BACK, CHARGEBACK_CAME_BACK = "T1106", "T1201", "T1202"
CAME_BACK = {*PAYOUT_CAME_BACK, CHARGEBACK_CAME_BACK}
ABOUT = {
    PAYMENT: ResourceType.PAYMENT,
    SUBSCRIPTION: ResourceType.SUBSCRIPTION,
    REFUND: ResourceType.REFUND,
    PAYOUT: ResourceType.PAYOUT,
    **dict.fromkeys((REVERSED, CHARGED_BACK, CHARGEBACK_CAME_BACK), ResourceType.CHARGEBACK),
    **dict.fromkeys(PAYOUT_CAME_BACK, ResourceType.PAYOUT),
}
DONE = {"S", "V"}
ITEM_EVENTS = ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", "PAYMENT.PAYOUTS-ITEM.RETURNED", "PAYMENT.PAYOUTS-ITEM.REFUNDED")


class Book(Chargebacks, Payouts):
    """What PayPal has in its book."""

    def book(self, since: datetime, until: datetime) -> Iterator[SettlementLine]:
        """From `since` up to, not with, `until`. A payout that came back is a negative line.

        A payment costs a request more, for its order; payouts are matched by the webhooks PayPal keeps for 30 days,
        without one the line has PayPal's transaction id and no key.
        """
        payouts: dict[str, tuple[str, str]] | None = None
        for one in self._transactions(since, until):
            about, line = ABOUT[one["transaction_event_code"]], one["transaction_id"]
            object_id, key = line, one.get("custom_field") or ""
            if about is ResourceType.PAYMENT:
                object_id = self._order_of(line) or line
            elif about is ResourceType.CHARGEBACK:
                object_id = self.dispute_about(one.get("paypal_reference_id") or line) or line
            elif about is ResourceType.PAYOUT:
                payouts = self._payouts(since, until) if payouts is None else payouts
                object_id, key = payouts.get(line) or payouts.get(one.get("paypal_reference_id", "")) or (line, "")
            yield _line(one, about, object_id, key)

    def find_payment(self, key: str) -> PaymentState | None:
        """PayPal has no list of orders, but none was paid whose `next_url` nobody got; paid ones are in the book."""
        for one in self._transactions(now() - LONGEST_RANGE, now()):
            if one["transaction_event_code"] == PAYMENT and one.get("custom_field") == key:
                return self.fetch_payment(self._order_of(one["transaction_id"]))
        return None

    def _transactions(self, since: datetime, until: datetime) -> Iterator[PayPalJson]:
        while since < until:
            end = min(since + LONGEST_RANGE, until)
            yield from (one for one in self._in_range(since, end) if _counts(one, since, end))
            since = end

    def _in_range(self, since: datetime, end: datetime) -> Iterator[PayPalJson]:
        page, pages = 0, 1
        while page < pages:
            page += 1
            found = self._api.get(
                "/v1/reporting/transactions",
                start_date=rfc3339(since),
                end_date=rfc3339(end),
                fields="transaction_info",
                page_size=PAGE,
                page=page,
            )
            pages = found.get("total_pages", 0)
            yield from (detail["transaction_info"] for detail in found.get("transaction_details", []))

    def _payouts(self, since: datetime, until: datetime) -> dict[str, tuple[str, str]]:
        """The batch and our key of each payout's transaction."""
        events = self._events(since, until + timedelta(days=1), *ITEM_EVENTS)
        items = [event["resource"] for event in events]
        return {one["transaction_id"]: (one["payout_batch_id"], one["payout_item"]["sender_item_id"]) for one in items}


def _counts(one: PayPalJson, since: datetime, end: datetime) -> bool:
    """Both ends of a range count at PayPal: what stands on one would come twice."""
    is_within = since <= datetime.fromisoformat(one["transaction_initiation_date"]) < end
    return is_within and one["transaction_event_code"] in ABOUT and one["transaction_status"] in DONE


def _line(one: PayPalJson, about: ResourceType, object_id: str, key: str) -> SettlementLine:
    amount = one["transaction_amount"]
    minor = abs(minor_of(amount))
    return SettlementLine(
        about=about,
        object_id=object_id,
        key=key,
        amount_minor=-minor if one["transaction_event_code"] in CAME_BACK else minor,
        currency=amount["currency_code"],
        made_at=datetime.fromisoformat(one["transaction_initiation_date"]),
    )
