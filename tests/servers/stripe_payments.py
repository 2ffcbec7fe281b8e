"""The local Stripe's PaymentIntents and refunds."""

from typing import Any

import stripe.params as shape

from tests.servers.stripe_store import Fault, Store, unexpected

GOOD, CHALLENGE, DECLINED, DECLINED_LATER = "good", "challenge", "declined", "declined at capture"
CARDS = {
    "pm_card_visa": GOOD,
    "pm_card_mastercard": GOOD,
    "pm_card_threeDSecure2Required": CHALLENGE,
    "pm_card_authenticationRequired": CHALLENGE,
    "pm_card_chargeDeclined": DECLINED,
    "pm_card_chargeDeclinedAtCapture": DECLINED_LATER,
}
WHOLE = {"isk", "ugx"}
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}
CANNOT_BE_CANCELLED = {"succeeded", "canceled"}


def card(method: str) -> str:
    """How that card behaves."""
    if method not in CARDS:
        message = f"No such PaymentMethod: '{method}'"
        raise Fault(400, "invalid_request_error", message, code="resource_missing", param="payment_method")
    return CARDS[method]


def amount_of(params: dict[str, Any], currency: str, name: str = "amount") -> int:
    """An amount Stripe takes in that currency."""
    amount = int(params[name])
    if currency != currency.lower() or len(currency) != 3:
        raise Fault(400, "invalid_request_error", f"Invalid currency: {currency}", param="currency")
    if amount < 1:
        raise Fault(400, "invalid_request_error", "Invalid positive integer", code="parameter_invalid_integer")
    if (currency in WHOLE and amount % 100) or (currency in THREE_DECIMALS and amount % 10):
        message = f"Invalid amount. Currency {currency.upper()} is effectively of fewer decimals."
        raise Fault(400, "invalid_request_error", message, code="invalid_charge_amount_no_decimal_compatible")
    return amount


def create_intent(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Confirmed at once where that is asked for."""
    confirms = params.pop("confirm", "false") == "true"
    back = params.pop("return_url", "")
    if back and not confirms:
        raise Fault(400, "invalid_request_error", "return_url can only be used with confirm=true", param="return_url")
    if params.get("capture_method") != "manual":
        raise Fault(400, "invalid_request_error", "These tests capture by hand.")
    method = params.pop("payment_method", None)
    amount = amount_of(params, params["currency"])
    redirects = params.pop("automatic_payment_methods", {}).get("allow_redirects", "always")
    intent = book.add("pi", "payment_intent", status="requires_payment_method", **{**params, "amount": amount})
    intent.setdefault("metadata", {})
    intent |= {"payment_method": None, "amount_capturable": 0, "amount_received": 0, "last_payment_error": None}
    intent |= {"client_secret": f"{intent['id']}_secret_x", "next_action": None, "latest_charge": None}
    intent["automatic_payment_methods"] = {"enabled": True, "allow_redirects": redirects}
    book.tell("payment_intent.created", intent)
    if confirms:
        pay(book, intent, method, back)
    return intent


def confirm_intent(book: Store, params: dict[str, Any], intent_id: str) -> dict[str, Any]:
    """By this method, or by the one it has."""
    intent = book.get(intent_id, kind="payment_intent")
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise unexpected(intent, "confirmed")
    pay(book, intent, params.get("payment_method") or intent["payment_method"], params.get("return_url", ""))
    return intent


def pay(book: Store, intent: dict[str, Any], method: str | None, back: str) -> None:
    """Try that card."""
    if not method:
        raise Fault(400, "invalid_request_error", "You cannot confirm this PaymentIntent: it has no payment method.")
    if intent["automatic_payment_methods"]["allow_redirects"] == "always" and not back:
        raise Fault(400, "invalid_request_error", "You must provide a `return_url`.", remembered=False)
    behaviour = card(method)
    intent |= {"last_payment_error": None, "next_action": None}
    if behaviour == DECLINED:
        fail(book, intent, "card_declined", "Your card was declined.", decline_code="generic_decline")
    intent["payment_method"] = method
    if behaviour == CHALLENGE:
        leaves = back and intent["automatic_payment_methods"]["allow_redirects"] == "always"
        url = f"{book.url}/challenge/{intent['id']}"
        redirect = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": back}}
        intent |= {"status": "requires_action", "next_action": redirect if leaves else {"type": "use_stripe_sdk"}}
        book.tell("payment_intent.requires_action", intent)
        return
    authorise(book, intent)


def fail(book: Store, intent: dict[str, Any], code: str, message: str, **more: str) -> None:
    """The bank said no."""
    error = {"type": "card_error", "code": code, "message": message, **more}
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
    intent["next_action"] = None
    book.tell("payment_intent.payment_failed", intent)
    raise Fault(402, "card_error", message, code=code, payment_intent=book.expanded(intent, []), **more)


def challenge_answered(book: Store, intent: dict[str, Any], passed: bool) -> None:
    """What the payer's bank says after it."""
    assert intent["status"] == "requires_action"
    if passed:
        authorise(book, intent)
        return
    try:
        fail(
            book, intent, "payment_intent_authentication_failure", "We are unable to authenticate your payment method."
        )
    except Fault:
        return


def authorise(book: Store, intent: dict[str, Any]) -> None:
    """The money is held."""
    charge = book.add(
        "ch",
        "charge",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        captured=False,
        balance_transaction=None,
        disputed=False,
        currency=intent["currency"],
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
    )
    intent |= {"status": "requires_capture", "next_action": None, "latest_charge": charge["id"]}
    intent["amount_capturable"] = intent["amount"]
    book.tell("payment_intent.amount_capturable_updated", intent)


def capture_intent(book: Store, params: dict[str, Any], intent_id: str) -> dict[str, Any]:
    """The rest is let go of, which Stripe books as refunded."""
    intent = book.get(intent_id, kind="payment_intent")
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "captured")
    amount = amount_of(params, intent["currency"], "amount_to_capture")
    if amount > intent["amount"]:
        message = "You cannot capture more than the amount capturable."
        raise Fault(400, "invalid_request_error", message, code="amount_too_large")
    if card(intent["payment_method"]) == DECLINED_LATER:
        fail(book, intent, "card_declined", "Your card was declined.", decline_code="insufficient_funds")
    charge = book.things[intent["latest_charge"]]
    rest = intent["amount"] - amount
    charge |= {"captured": True, "amount_captured": amount, "amount_refunded": rest}
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    charge["balance_transaction"] = book.enter("charge", charge, intent["amount"])["id"]
    if rest:
        book.enter("partial_capture_reversal", _new_refund(book, charge, rest, {}), -rest)
    book.tell("payment_intent.succeeded", intent)
    return intent


def cancel_intent(book: Store, _: dict[str, Any], intent_id: str) -> dict[str, Any]:
    """What was held is let go of."""
    intent = book.get(intent_id, kind="payment_intent")
    if intent["status"] in CANNOT_BE_CANCELLED:
        raise unexpected(intent, "canceled")
    intent |= {"status": "canceled", "amount_capturable": 0}
    book.tell("payment_intent.canceled", intent)
    return intent


def create_refund(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Up to what is left."""
    intent = book.things.get(params.get("payment_intent", ""))
    if intent is None:
        message = f"No such payment_intent: '{params.get('payment_intent')}'"
        raise Fault(404, "invalid_request_error", message, code="resource_missing", param="payment_intent")
    if intent["status"] != "succeeded":
        raise Fault(400, "invalid_request_error", "This PaymentIntent does not have a successful charge to refund.")
    charge = book.things[intent["latest_charge"]]
    amount = amount_of(params, intent["currency"])
    if charge["disputed"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise Fault(400, "invalid_request_error", message, code="charge_disputed")
    if charge["amount"] == charge["amount_refunded"]:
        message = f"Charge {charge['id']} has already been refunded."
        raise Fault(400, "invalid_request_error", message, code="charge_already_refunded")
    if amount > charge["amount"] - charge["amount_refunded"]:
        raise Fault(400, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge.")
    charge["amount_refunded"] += amount
    refund = _new_refund(book, charge, amount, params.get("metadata", {}))
    book.enter("refund", refund, -amount)
    book.tell("charge.refunded", charge)
    book.tell("refund.created", refund)
    return refund


def _new_refund(book: Store, charge: dict[str, Any], amount: int, metadata: dict[str, str]) -> dict[str, Any]:
    return book.add(
        "re",
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        status="succeeded",
        failure_reason=None,
    )


def fail_refund(book: Store, refund_id: str) -> None:
    """The bank sends it back."""
    refund = book.things[refund_id]
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    book.things[refund["charge"]]["amount_refunded"] -= refund["amount"]
    book.enter("refund_failure", refund, refund["amount"])
    book.tell("refund.failed", refund)


ROUTES = [
    ("POST", r"payment_intents", shape.PaymentIntentCreateParams, create_intent),
    (
        "GET",
        r"payment_intents/([^/]+)",
        shape.PaymentIntentRetrieveParams,
        lambda b, _, i: b.get(i, kind="payment_intent"),
    ),
    ("POST", r"payment_intents/([^/]+)/confirm", shape.PaymentIntentConfirmParams, confirm_intent),
    ("POST", r"payment_intents/([^/]+)/capture", shape.PaymentIntentCaptureParams, capture_intent),
    ("POST", r"payment_intents/([^/]+)/cancel", shape.PaymentIntentCancelParams, cancel_intent),
    ("POST", r"refunds", shape.RefundCreateParams, create_refund),
    ("GET", r"refunds/([^/]+)", shape.RefundRetrieveParams, lambda book, _, i: book.get(i, kind="refund")),
]
