"""Subscriptions by Stripe Billing.

A price cannot be changed, so a plan (`PlanTerms.key`) is the price that carries its key as lookup key at the moment:
new terms make a new price, and who subscribed before stays on theirs. The price's metadata says which plan it is of.

Apart from the rooms: a gateway's part: one ability.
"""

from hashlib import sha256
from typing import Any

from stripe import CardError
from stripe.params import PriceCreateParams, SubscriptionCreateParams, SubscriptionUpdateParams

from marketplace.kit.clock import now
from marketplace.payments.providers.provider import InvoiceState, Paid, PlanTerms, SubscriptionState
from marketplace.payments.providers.stripe.account import NOT_YET_SEARCHABLE, Account, asking, carries, moment, with_key
from marketplace.payments.providers.stripe.money import from_stripe, to_stripe

FIRST_INVOICE = ["latest_invoice.confirmation_secret"]
STATES = {
    "incomplete": Paid.INCOMPLETE,
    "incomplete_expired": Paid.ENDED,
    "trialing": Paid.ACTIVE,
    "active": Paid.ACTIVE,
    "past_due": Paid.PAST_DUE,
    "unpaid": Paid.PAST_DUE,
    "paused": Paid.PAST_DUE,
    "canceled": Paid.ENDED,
}
NEEDS_THE_PAYER = "invoice_payment_intent_requires_action"


class Subscriptions(Account):
    """What is paid again and again."""

    def subscribe(
        self, *, terms: PlanTerms, customer_id: str | None, user_id: int, email: str, method: str | None, key: str
    ) -> SubscriptionState:
        """Without a method the payer pays the first invoice by `client_secret` or at `next_url`; raises Declined."""
        with asking():
            price = self._price(terms)
            customer = customer_id or self._new_customer(user_id, email, key)
            params: SubscriptionCreateParams = {
                "customer": customer,
                "items": [{"price": price}],
                "payment_behavior": "default_incomplete",
                "payment_settings": {"save_default_payment_method": "on_subscription"},
                "metadata": {"key": key},
                "expand": FIRST_INVOICE,
            }
            if method:
                method = self._attached(method, customer, key)
                params["default_payment_method"] = method
            begun = self._api.subscriptions.create(params, {"idempotency_key": key}).to_dict()
            if method and begun["latest_invoice"]["status"] == "open":
                self._pay(begun["latest_invoice"]["id"], method, key)
            return self._state(self._subscription(begun["id"]))

    def change_plan(self, subscription_id: str, *, terms: PlanTerms, key: str) -> SubscriptionState:
        """Now, and the difference is invoiced at once. Until that is paid the old plan stays, `next_url` says where."""
        with asking():
            item = self._subscription(subscription_id)["items"]["data"][0]
            params: SubscriptionUpdateParams = {
                "items": [{"id": item["id"], "price": self._price(terms)}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "pending_if_incomplete",
                "expand": FIRST_INVOICE,
            }
            changed = self._api.subscriptions.update(subscription_id, params, {"idempotency_key": key})
            return self._state(changed.to_dict())

    def end_subscription(self, subscription_id: str, *, at_once: bool, key: str) -> SubscriptionState:
        """Nothing is paid back; one that has ended is answered as it is."""
        with asking():
            subscription = self._subscription(subscription_id)
            if STATES[subscription["status"]] is Paid.ENDED:
                return self._state(subscription)
            if at_once:
                ended = self._api.subscriptions.cancel(subscription_id, {"expand": FIRST_INVOICE})
            else:
                params: SubscriptionUpdateParams = {"cancel_at_period_end": True, "expand": FIRST_INVOICE}
                ended = self._api.subscriptions.update(subscription_id, params, {"idempotency_key": key})
            return self._state(ended.to_dict())

    def fetch_subscription(self, subscription_id: str) -> SubscriptionState:
        """How it stands; raises Unknown."""
        with asking():
            return self._state(self._subscription(subscription_id))

    def find_subscription(self, key: str) -> SubscriptionState | None:
        """By search, and among the latest, which a search does not see yet."""
        with asking():
            found = self._api.subscriptions.search({"query": with_key(key)})
            since = int((now() - NOT_YET_SEARCHABLE).timestamp())
            latest = self._api.subscriptions.list({"created": {"gte": since}, "status": "all", "limit": 100})
            for subscription in (*found.data, *latest.auto_paging_iter()):
                if carries(subscription.to_dict(), key):
                    return self._state(self._subscription(subscription.id))
        return None

    def _subscription(self, subscription_id: str) -> dict[str, Any]:
        return self._api.subscriptions.retrieve(subscription_id, {"expand": FIRST_INVOICE}).to_dict()

    def _new_customer(self, user_id: int, email: str, key: str) -> str:
        return self._api.customers.create(
            {"email": email, "metadata": {"user_id": str(user_id)}}, {"idempotency_key": f"{key}:customer"}
        ).id

    def _attached(self, method: str, customer: str, key: str) -> str:
        """Stripe may give it another id there."""
        return self._api.payment_methods.attach(method, {"customer": customer}, {"idempotency_key": f"{key}:method"}).id

    def _pay(self, invoice_id: str, method: str, key: str) -> None:
        try:
            self._api.invoices.pay(invoice_id, {"payment_method": method}, {"idempotency_key": f"{key}:pay"})
        except CardError as error:
            if error.code != NEEDS_THE_PAYER:
                raise error

    def _price(self, terms: PlanTerms) -> str:
        amount, currency = to_stripe(terms.amount_minor, terms.currency), terms.currency.lower()
        known = self._api.prices.list({"lookup_keys": [terms.key], "active": True, "limit": 1}).to_dict()["data"]
        if known and _fits(known[0], amount, currency, terms.interval):
            return str(known[0]["id"])
        params: PriceCreateParams = {
            "unit_amount": amount,
            "currency": currency,
            "recurring": {"interval": "year" if terms.interval == "year" else "month"},
            "product_data": {"name": terms.name},
            "lookup_key": terms.key,
            "transfer_lookup_key": True,
            "metadata": {"plan": terms.key},
        }
        made_once = sha256(repr(terms).encode()).hexdigest()
        return self._api.prices.create(params, {"idempotency_key": f"price:{made_once}"}).id

    def _state(self, subscription: dict[str, Any]) -> SubscriptionState:
        invoices = tuple(self._invoices(subscription["id"]))
        item = subscription["items"]["data"][0]
        latest = subscription.get("latest_invoice") or {}
        is_due = latest.get("status") == "open"
        return SubscriptionState(
            id=subscription["id"],
            status=STATES[subscription["status"]],
            plan_key=item["price"]["metadata"].get("plan") or item["price"].get("lookup_key") or "",
            currency=subscription["currency"].upper(),
            period_start=moment(item["current_period_start"]),
            period_end=moment(item["current_period_end"]),
            cancel_at_period_end=bool(subscription["cancel_at_period_end"]),
            paid_minor=sum(invoice.amount_minor for invoice in invoices),
            invoices=invoices,
            client_secret=((latest.get("confirmation_secret") or {}).get("client_secret") or "") if is_due else "",
            next_url=(latest.get("hosted_invoice_url") or "") if is_due else "",
            customer_id=subscription["customer"],
        )

    def _invoices(self, subscription_id: str) -> list[InvoiceState]:
        paid = self._api.invoices.list({"subscription": subscription_id, "status": "paid", "limit": 100})
        return [_invoice(one.to_dict()) for one in paid.auto_paging_iter() if one.amount_paid]


def _fits(price: dict[str, Any], amount: int, currency: str, interval: str) -> bool:
    terms = (price["unit_amount"], price["currency"], price["recurring"]["interval"])
    return bool(terms == (amount, currency, interval))


def _invoice(invoice: dict[str, Any]) -> InvoiceState:
    currency = invoice["currency"].upper()
    return InvoiceState(
        id=invoice["id"],
        amount_minor=from_stripe(invoice["amount_paid"], currency),
        currency=currency,
        paid_at=moment(invoice["status_transitions"]["paid_at"]),
    )
