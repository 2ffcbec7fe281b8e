"""The local Stripe's customers, prices, subscriptions and invoices."""

import time
from typing import Any

import stripe.params as shape

from tests.servers.stripe_payments import CHALLENGE, DECLINED, amount_of, card
from tests.servers.stripe_store import HIDDEN, Fault, Store

SECONDS = {"month": 30 * 86400, "year": 365 * 86400}


def create_customer(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Somebody who pays again and again."""
    return book.add("cus", "customer", **{"metadata": {}, **params})


def attach(book: Store, params: dict[str, Any], method: str) -> dict[str, Any]:
    """A card becomes a customer's; a test card gets an id of its own."""
    customer = book.get(params["customer"], kind="customer")
    card(method)
    return book.add("pm", "payment_method", customer=customer["id"], type="card", card=method)


def _behaviour(book: Store, method: str) -> str:
    attached = book.things.get(method)
    return card(attached["card"] if attached else method)


def create_price(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """A lookup key is one price's at a time."""
    amount = amount_of(params, params["currency"], "unit_amount")
    takes_over = params.pop("transfer_lookup_key", "false") == "true"
    for other in book.of_kind("price"):
        if other["lookup_key"] == params.get("lookup_key"):
            if not takes_over:
                raise Fault(400, "invalid_request_error", "A price already uses that lookup key.")
            other["lookup_key"] = None
    product = book.add("prod", "product", **params.pop("product_data"))
    more = {"active": True, "product": product["id"], "unit_amount": amount}
    return book.add("price", "price", **{"metadata": {}, "lookup_key": None, **params, **more})


def create_subscription(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """The first invoice waits for the payer."""
    if params.get("payment_behavior") != "default_incomplete":
        raise Fault(400, "invalid_request_error", "These tests begin incomplete.")
    customer = book.get(params["customer"], kind="customer")
    method = params.get("default_payment_method")
    if method and book.things.get(method, {}).get("customer") != customer["id"]:
        raise Fault(400, "invalid_request_error", "The customer does not have a payment method with that ID.")
    price = book.get(params["items"][0]["price"], kind="price")
    now = int(time.time())
    item = {"id": f"si_{now}{len(book.things)}", "object": "subscription_item", "price": price}
    item |= {"current_period_start": now, "current_period_end": now + SECONDS[price["recurring"]["interval"]]}
    subscription = book.add(
        "sub",
        "subscription",
        customer=customer["id"],
        currency=price["currency"],
        status="incomplete",
        items={"object": "list", "data": [item], "has_more": False},
        metadata=params.get("metadata", {}),
        default_payment_method=method,
        cancel_at_period_end=False,
        pending_update=None,
        latest_invoice=None,
    )
    _invoice(book, subscription, price["unit_amount"])
    book.tell("customer.subscription.created", subscription)
    return subscription


def _invoice(book: Store, subscription: dict[str, Any], amount: int) -> dict[str, Any]:
    invoice = book.add(
        "in", "invoice", status="open", amount_due=amount, amount_paid=0, subscription=subscription["id"]
    )
    invoice |= {"currency": subscription["currency"], "hosted_invoice_url": f"{book.url}/i/{invoice['id']}"}
    invoice |= {"status_transitions": {"paid_at": None}, "customer": subscription["customer"]}
    invoice["parent"] = {"subscription_details": {"subscription": subscription["id"], "metadata": {}}}
    secret = {"client_secret": f"pi_of_{invoice['id']}_secret_x", "type": "payment_intent"}
    invoice[HIDDEN + "confirmation_secret"] = secret
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def pay_invoice(book: Store, params: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """By this card."""
    invoice = book.get(invoice_id, kind="invoice")
    if invoice["status"] != "open":
        raise Fault(400, "invalid_request_error", "Invoice is already paid")
    behaviour = _behaviour(book, params["payment_method"])
    if behaviour == CHALLENGE:
        message = "This payment requires additional user action before it can be completed successfully."
        raise Fault(402, "card_error", message, code="invoice_payment_intent_requires_action")
    if behaviour == DECLINED:
        book.tell("invoice.payment_failed", invoice)
        message = "Your card was declined."
        raise Fault(402, "card_error", message, code="card_declined", decline_code="generic_decline")
    settle(book, invoice_id, params["payment_method"])
    return invoice


def settle(book: Store, invoice_id: str, method: str = "pm_card_visa") -> None:
    """It is paid, here or on its own page."""
    invoice = book.things[invoice_id]
    subscription = book.things[invoice["subscription"]]
    amount = invoice["amount_due"]
    invoice |= {"status": "paid", "amount_paid": amount, "status_transitions": {"paid_at": int(time.time())}}
    subscription |= {"status": "active", "default_payment_method": method}
    if update := subscription["pending_update"]:
        subscription["items"]["data"][0]["price"] = update["price"]
        subscription["pending_update"] = None
    if amount:
        _charge(book, invoice, amount)
    book.tell("invoice.paid", invoice)
    book.tell("customer.subscription.updated", subscription)


def _charge(book: Store, invoice: dict[str, Any], amount: int) -> None:
    """A payment of its own, without any of our keys."""
    intent = book.add("pi", "payment_intent", metadata={}, status="succeeded", amount=amount, invoice=invoice["id"])
    charge = book.add("ch", "charge", amount=amount, amount_captured=amount, amount_refunded=0, captured=True)
    charge |= {"currency": invoice["currency"], "metadata": {}, "payment_intent": intent["id"], "disputed": False}
    intent |= {"latest_charge": charge["id"], "currency": invoice["currency"]}
    payment = {"type": "payment_intent", "payment_intent": intent["id"]}
    book.add("inpay", "invoice_payment", invoice=invoice["id"], payment=payment, status="paid")
    book.enter("charge", charge, amount)


def update_subscription(book: Store, params: dict[str, Any], subscription_id: str) -> dict[str, Any]:
    """A change of price is invoiced for what is left of the period."""
    subscription = book.get(subscription_id, kind="subscription")
    if subscription["status"] == "canceled":
        raise Fault(400, "invalid_request_error", "A canceled subscription can only update its metadata.")
    if "cancel_at_period_end" in params:
        subscription["cancel_at_period_end"] = params["cancel_at_period_end"] == "true"
    if "items" in params:
        _change_price(book, subscription, params)
    book.tell("customer.subscription.updated", subscription)
    return subscription


def _change_price(book: Store, subscription: dict[str, Any], params: dict[str, Any]) -> None:
    if params.get("payment_behavior") == "pending_if_incomplete" and "metadata" in params:
        raise Fault(400, "invalid_request_error", "metadata cannot be sent with pending_if_incomplete.")
    item = subscription["items"]["data"][0]
    if params["items"][0]["id"] != item["id"]:
        raise Fault(400, "invalid_request_error", "No such subscription item.", code="resource_missing")
    price = book.get(params["items"][0]["price"], kind="price")
    length = item["current_period_end"] - item["current_period_start"]
    left = round((item["current_period_end"] - time.time()) / length, 2)
    is_prorated = params.get("proration_behavior") == "always_invoice"
    difference = round((price["unit_amount"] - item["price"]["unit_amount"]) * left) if is_prorated else 0
    invoice = _invoice(book, subscription, max(0, difference))
    subscription["pending_update"] = {"price": price}
    method = subscription["default_payment_method"]
    if difference <= 0 or _behaviour(book, method) not in {DECLINED, CHALLENGE}:
        settle(book, invoice["id"], method)


def cancel_subscription(book: Store, _: dict[str, Any], subscription_id: str) -> dict[str, Any]:
    """Now; one that was cancelled is not found any more by this verb."""
    subscription = book.get(subscription_id, kind="subscription")
    if subscription["status"] == "canceled":
        raise Fault(404, "invalid_request_error", f"No such subscription: {subscription_id}", code="resource_missing")
    subscription["status"] = "canceled"
    book.tell("customer.subscription.deleted", subscription)
    return subscription


def half_way(book: Store, subscription_id: str) -> None:
    """Half of the period has gone by."""
    item = book.things[subscription_id]["items"]["data"][0]
    half = (item["current_period_end"] - item["current_period_start"]) // 2
    item["current_period_start"] -= half
    item["current_period_end"] -= half


ROUTES = [
    ("POST", r"customers", shape.CustomerCreateParams, create_customer),
    ("POST", r"payment_methods/([^/]+)/attach", shape.PaymentMethodAttachParams, attach),
    ("POST", r"prices", shape.PriceCreateParams, create_price),
    ("POST", r"subscriptions", shape.SubscriptionCreateParams, create_subscription),
    ("GET", r"subscriptions/([^/]+)", shape.SubscriptionRetrieveParams, lambda b, _, i: b.get(i, kind="subscription")),
    ("POST", r"subscriptions/([^/]+)", shape.SubscriptionUpdateParams, update_subscription),
    ("DELETE", r"subscriptions/([^/]+)", shape.SubscriptionCancelParams, cancel_subscription),
    ("POST", r"invoices/([^/]+)/pay", shape.InvoicePayParams, pay_invoice),
]
