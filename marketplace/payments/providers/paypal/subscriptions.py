"""Subscriptions by PayPal.

A plan (`PlanTerms.key`) is a product `PLAN-<key>` in PayPal's catalogue; its terms are a billing plan of that product,
and new terms make a new one. PayPal prorates nothing: another plan holds from the next payment, once the payer agreed
to it at `next_url`. It cannot end a subscription later either: it is cancelled at once, no more is paid, and what was
paid for is ours to give; the note of the cancellation tells which of both was meant.

Apart from the rooms: a gateway's part: one ability.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.payments.providers.paypal.account import Account
from marketplace.payments.providers.paypal.answers import PayPalJson, link
from marketplace.payments.providers.paypal.errors import Refusal
from marketplace.payments.providers.paypal.money import minor_of, money
from marketplace.payments.providers.paypal.payouts import rfc3339
from marketplace.payments.providers.provider import InvoiceState, Paid, PlanTerms, Refused, SubscriptionState

STATES = {
    "APPROVAL_PENDING": Paid.INCOMPLETE,
    "APPROVED": Paid.INCOMPLETE,
    "ACTIVE": Paid.ACTIVE,
    "SUSPENDED": Paid.PAST_DUE,
    "CANCELLED": Paid.ENDED,
    "EXPIRED": Paid.ENDED,
}
PAID = {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}  # what went back of it was paid all the same
PRODUCT = "PLAN-"
LONGEST_PRODUCT = 50
AT_PERIOD_END, AT_ONCE = "Ends with what is paid for.", "Ended at once."
PAGE = 20
FINDABLE = timedelta(days=31)
BEFORE_THE_FIRST = timedelta(minutes=5)


class Subscriptions(Account):
    """What is paid again and again."""

    def subscribe(
        self, *, terms: PlanTerms, customer_id: str | None, user_id: int, email: str, method: str | None, key: str
    ) -> SubscriptionState:
        """The payer approves it at `next_url`, which pays it; a `method` is Refused. PayPal knows no customers."""
        if method:
            raise Refused("How to pay is chosen at PayPal.", "method_not_supported")
        body = {
            "plan_id": self._plan(terms),
            "custom_id": key,
            "subscriber": {"email_address": email},
            "application_context": self._context(),
        }
        return self._state(self._api.post("/v1/billing/subscriptions", body=body, key=key))

    def change_plan(self, subscription_id: str, *, terms: PlanTerms, key: str) -> SubscriptionState:
        """The plan stays what it was until the payer has agreed at `next_url`; nothing is prorated."""
        body = {"plan_id": self._plan(terms), "application_context": self._context()}
        revised = self._api.post("/v1/billing/subscriptions/{}/revise", subscription_id, body=body)
        return replace(self.fetch_subscription(subscription_id), next_url=link(revised, "approve"))

    def end_subscription(self, subscription_id: str, *, at_once: bool, key: str) -> SubscriptionState:
        """No more is paid from now on. One nobody approved yet cannot be cancelled and costs nothing."""
        state = self.fetch_subscription(subscription_id)
        if state.status is Paid.INCOMPLETE:
            return replace(state, status=Paid.ENDED, next_url="")
        if state.status is Paid.ENDED or state.cancel_at_period_end:
            return replace(state, status=Paid.ENDED) if at_once else state
        body = {"reason": AT_ONCE if at_once else AT_PERIOD_END}
        self._api.post("/v1/billing/subscriptions/{}/cancel", subscription_id, body=body)
        return self.fetch_subscription(subscription_id)

    def fetch_subscription(self, subscription_id: str) -> SubscriptionState:
        """How it stands; raises Unknown."""
        return self._state(self._api.get("/v1/billing/subscriptions/{}", subscription_id))

    def find_subscription(self, key: str) -> SubscriptionState | None:
        """Among those of the last 31 days."""
        page, more = 0, True
        while more:
            page += 1
            since = rfc3339(now() - FINDABLE)
            answer = self._api.get("/v1/billing/subscriptions", created_after=since, page_size=PAGE, page=page)
            found = answer.get("subscriptions", [])
            for one in found:
                if one.get("custom_id") == key:
                    return self.fetch_subscription(one["id"])
            more = len(found) == PAGE
        return None

    def _context(self) -> dict[str, str]:
        context = {"shipping_preference": "NO_SHIPPING", "user_action": "SUBSCRIBE_NOW"}
        return context | {"return_url": self._return_url, "cancel_url": self._return_url}

    def _plan(self, terms: PlanTerms) -> str:
        product = PRODUCT + terms.key
        if len(product) > LONGEST_PRODUCT:
            raise Refused("The name of this plan is too long for PayPal.", "PLAN_KEY_TOO_LONG")
        cycles = _cycles(terms)
        for plan in self._plans(product):
            if plan.get("status") == "ACTIVE" and _terms(plan) == _terms({"billing_cycles": cycles}):
                return str(plan["id"])
        made_once = sha256(repr(terms).encode()).hexdigest()
        self._make_product(product, terms.name, made_once)
        body = {
            "product_id": product,
            "name": terms.name,
            "billing_cycles": cycles,
            "payment_preferences": {"auto_bill_outstanding": True, "payment_failure_threshold": 3},
        }
        return str(self._api.post("/v1/billing/plans", body=body, key=f"plan:{made_once}")["id"])

    def _plans(self, product: str) -> list[PayPalJson]:
        answer = self._api.get("/v1/billing/plans", product_id=product, page_size=PAGE)
        found: list[PayPalJson] = answer.get("plans", [])
        return found

    def _make_product(self, product: str, name: str, made_once: str) -> None:
        body = {"id": product, "name": name, "type": "SERVICE"}
        try:
            self._api.post("/v1/catalogs/products", body=body, key=f"product:{made_once}")
        except Refusal as error:
            if error.code != "DUPLICATE_RESOURCE_IDENTIFIER":
                raise

    def _state(self, subscription: PayPalJson) -> SubscriptionState:
        plan = self._api.get("/v1/billing/plans/{}", subscription["plan_id"])
        invoices = self._invoices(subscription)
        start, end = _period(subscription, plan)
        is_promised = subscription.get("status_change_note") == AT_PERIOD_END and end is not None and end > now()
        status = STATES[subscription["status"]]
        ends_later = status is Paid.ENDED and is_promised
        return SubscriptionState(
            id=subscription["id"],
            status=Paid.ACTIVE if ends_later else status,
            plan_key=plan["product_id"].removeprefix(PRODUCT),
            currency=_terms(plan)[0]["currency_code"],
            period_start=start,
            period_end=end,
            cancel_at_period_end=ends_later,
            paid_minor=sum(one.amount_minor for one in invoices),
            invoices=invoices,
            next_url=link(subscription, "approve") if status is Paid.INCOMPLETE else "",
        )

    def _invoices(self, subscription: PayPalJson) -> tuple[InvoiceState, ...]:
        if STATES[subscription["status"]] is Paid.INCOMPLETE:
            return ()
        begun = _moment(subscription["create_time"]) - BEFORE_THE_FIRST
        paid = self._api.get(
            "/v1/billing/subscriptions/{}/transactions",
            subscription["id"],
            start_time=rfc3339(begun),
            end_time=rfc3339(now() + BEFORE_THE_FIRST),
        )
        return tuple(_invoice(one) for one in paid.get("transactions", []) if one["status"] in PAID)


def _cycles(terms: PlanTerms) -> list[JsonObject]:
    return [
        {
            "frequency": {"interval_unit": terms.interval.upper(), "interval_count": 1},
            "tenure_type": "REGULAR",
            "sequence": 1,
            "total_cycles": 0,
            "pricing_scheme": {"fixed_price": money(terms.amount_minor, terms.currency)},
        }
    ]


def _terms(plan: PayPalJson) -> tuple[PayPalJson, PayPalJson]:
    cycle = plan["billing_cycles"][0]
    price = cycle["pricing_scheme"]["fixed_price"]
    return price | {"value": str(minor_of(price))}, cycle["frequency"]


def _period(subscription: PayPalJson, plan: PayPalJson) -> tuple[datetime | None, datetime | None]:
    """Cancelled ones do not say when they would have been paid next."""
    billing = subscription.get("billing_info") or {}
    paid = (billing.get("last_payment") or {}).get("time")
    if not paid:
        return None, None
    start = _moment(paid)
    following = billing.get("next_billing_time")
    is_yearly = _terms(plan)[1]["interval_unit"] == "YEAR"
    return start, _moment(following) if following else _months_later(start, 12 if is_yearly else 1)


def _months_later(start: datetime, months: int) -> datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def _invoice(transaction: PayPalJson) -> InvoiceState:
    gross = transaction["amount_with_breakdown"]["gross_amount"]
    return InvoiceState(
        id=transaction["id"],
        amount_minor=minor_of(gross),
        currency=gross["currency_code"],
        paid_at=_moment(transaction["time"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
