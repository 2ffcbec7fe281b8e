"""Charges, plans and the usual ways through a payment."""

from dataclasses import replace

from marketplace.payments.providers.provider import Charge, PaymentState, PlanTerms, RefundState, SubscriptionState
from tests.payments.shops import BACK, Shop

CHARGE = Charge(
    key="intent-1", amount_minor=9900, currency="EUR", description="Shelf", reference="task:7", return_url=BACK
)
PRO = PlanTerms(key="pro", name="Pro", amount_minor=1000, currency="EUR", interval="month")
BUSINESS = PlanTerms(key="business", name="Business", amount_minor=3000, currency="EUR", interval="month")


def charge(amount_minor: int = 9900, currency: str = "EUR", *, key: str = "intent-1") -> Charge:
    """A valid one."""
    return replace(CHARGE, amount_minor=amount_minor, currency=currency, key=key)


def authorized(shop: Shop, amount_minor: int = 9900, currency: str = "EUR", *, key: str = "intent-1") -> PaymentState:
    """Money that is held."""
    return shop.pay(shop.provider.create(charge(amount_minor, currency, key=key)), key=f"{key}:pay")


def captured(shop: Shop, amount_minor: int = 9900, currency: str = "EUR", *, key: str = "intent-1") -> PaymentState:
    """Money that is ours."""
    held = authorized(shop, amount_minor, currency, key=key)
    return shop.provider.capture(held.id, amount_minor=amount_minor, key=f"{key}:capture")


def subscribe(shop: Shop, *, method: str | None = None, key: str = "sub-1") -> SubscriptionState:
    """To Pro; not paid yet."""
    return shop.provider.subscribe(
        terms=PRO, customer_id=None, user_id=5, email="anna@shop.test", method=method, key=key
    )


def subscribed(shop: Shop) -> SubscriptionState:
    """To Pro, and paid."""
    begun = subscribe(shop)
    shop.subscriber_pays(begun)
    return shop.provider.fetch_subscription(begun.id)


def refund_with(shop: Shop, payment_id: str, key: str) -> RefundState | None:
    """The refund that was made with this key."""
    return next((one for one in shop.provider.refunds_of(payment_id) if one.key == key), None)
