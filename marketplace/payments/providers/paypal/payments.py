"""Orders that are authorised first and captured later, and their refunds.

A payment is an order: its payer approves it at PayPal (`next_url`), then it is authorised by `confirm`. An approved
order that waits for that is REQUIRES_ACTION without a `next_url`; PayPal tells of it by CHECKOUT.ORDER.APPROVED.

Apart from the rooms: a gateway's part: one ability.
"""

from dataclasses import replace

from marketplace.payments.providers.paypal.account import Account
from marketplace.payments.providers.paypal.answers import PayPalJson, link
from marketplace.payments.providers.paypal.errors import SENTENCE
from marketplace.payments.providers.paypal.money import minor_of, money
from marketplace.payments.providers.provider import (
    Charge,
    Declined,
    Done,
    PaymentState,
    ProviderStatus,
    RefundState,
    Refused,
    Unknown,
)

CAPTURED = {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}
AUTHORIZATIONS = {
    "CREATED": ProviderStatus.AUTHORIZED,
    "PENDING": ProviderStatus.PROCESSING,
    "CAPTURED": ProviderStatus.PROCESSING,
    "PARTIALLY_CAPTURED": ProviderStatus.PROCESSING,
    "DENIED": ProviderStatus.REQUIRES_PAYMENT_METHOD,
    "VOIDED": ProviderStatus.CANCELLED,
    "EXPIRED": ProviderStatus.CANCELLED,
}
REFUNDS = {"COMPLETED": Done.DONE, "FAILED": Done.FAILED, "CANCELLED": Done.FAILED}
DONE_BEFORE = {"ORDER_ALREADY_AUTHORIZED", "ORDER_NOT_APPROVED"}
TOO_LATE_TO_VOID = {
    "AUTHORIZATION_ALREADY_CAPTURED",
    "AUTHORIZATION_VOIDED",
    "PREVIOUSLY_CAPTURED",
    "PREVIOUSLY_VOIDED",
}
LONGEST_TEXT = 127


class Payments(Account):
    """What a payer pays."""

    def create(self, charge: Charge) -> PaymentState:
        """An order; how it is paid the payer chooses at PayPal, so a `method` is Refused."""
        _no_method(charge.method)
        unit = {
            "reference_id": charge.reference,
            "description": charge.description[:LONGEST_TEXT],
            "custom_id": charge.key,
            "invoice_id": charge.key,
            "amount": money(charge.amount_minor, charge.currency),
        }
        context = {"shipping_preference": "NO_SHIPPING", "user_action": "PAY_NOW"}
        if charge.return_url:
            context |= {"return_url": charge.return_url, "cancel_url": charge.return_url}
        body = {
            "intent": "AUTHORIZE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": context}},
        }
        return _payment(self._api.post("/v2/checkout/orders", body=body, key=charge.key))

    def confirm(self, payment_id: str, *, method: str | None, key: str) -> PaymentState:
        """Authorise what the payer approved; until then it is answered as it is. Raises Declined."""
        _no_method(method)
        state = self.fetch_payment(payment_id)
        if state.status is ProviderStatus.REQUIRES_PAYMENT_METHOD:
            raise Declined(state.failure)
        if state.status is not ProviderStatus.REQUIRES_ACTION or state.next_url:
            return state
        try:
            order = self._api.post("/v2/checkout/orders/{}/authorize", payment_id, key=key)
        except Refused as error:
            if error.code not in DONE_BEFORE:
                raise
            return self.fetch_payment(payment_id)
        if (state := _payment(order)).status is ProviderStatus.REQUIRES_PAYMENT_METHOD:
            raise Declined(state.failure)
        return state

    def fetch_payment(self, payment_id: str) -> PaymentState:
        """How it stands; raises Unknown."""
        return _payment(self._order(payment_id))

    def capture(self, payment_id: str, *, amount_minor: int, key: str) -> PaymentState:
        """Take it and let go of the rest; what was captured at that amount already is answered as it is."""
        order = self._order(payment_id)
        state = _payment(order)
        if state.status is ProviderStatus.CAPTURED and state.captured_minor == amount_minor:
            return state
        body = {"amount": money(amount_minor, state.currency), "final_capture": True}
        held = _authorization(order)["id"]
        capture = self._api.post("/v2/payments/authorizations/{}/capture", held, body=body, key=key)
        if capture["status"] == "DECLINED":
            raise Declined(SENTENCE, "DECLINED")
        return self.fetch_payment(payment_id)

    def cancel(self, payment_id: str, *, key: str) -> PaymentState:
        """Give it up. An order nobody authorised cannot be voided at PayPal: it ends by itself and costs nothing."""
        order = self._order(payment_id)
        state = _payment(order)
        if state.status in {ProviderStatus.CAPTURED, ProviderStatus.CANCELLED}:
            return state
        if state.status not in {ProviderStatus.AUTHORIZED, ProviderStatus.PROCESSING}:
            return replace(state, status=ProviderStatus.CANCELLED, next_url="")
        try:
            self._api.post("/v2/payments/authorizations/{}/void", _authorization(order)["id"], key=key)
        except Refused as error:
            if error.code not in TOO_LATE_TO_VOID:
                raise
        return self.fetch_payment(payment_id)

    def refund(self, payment_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send it back; more than is left is Refused."""
        body = {"amount": money(amount_minor, currency), "custom_id": key}
        captures = [one for one in _made(self._order(payment_id), "captures") if one["status"] in CAPTURED]
        if not captures:
            raise Refused("Nothing was captured that could be refunded.", "CAPTURE_STATUS_INVALID")
        refund = self._api.post("/v2/payments/captures/{}/refund", captures[0]["id"], body=body, key=key)
        return _refund(refund, payment_id)

    def refund_invoice(self, invoice_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """The transaction of a subscription is refunded as a capture is."""
        body = {"amount": money(amount_minor, currency), "custom_id": key}
        return _refund(self._api.post("/v2/payments/captures/{}/refund", invoice_id, body=body, key=key), "")

    def fetch_refund(self, refund_id: str) -> RefundState:
        """How it stands, with the order it is of, if it is of one; raises Unknown."""
        refund = self._api.get("/v2/payments/refunds/{}", refund_id)
        capture_id = link(refund, "up").rpartition("/")[2]
        try:
            order = self._order_of(capture_id)
        except Unknown:  # what paid for a subscription
            order = ""
        return _refund(refund, order)

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """All of them; raises Unknown."""
        return [_refund(one, payment_id) for one in _made(self._order(payment_id), "refunds")]

    def _order(self, payment_id: str) -> PayPalJson:
        return self._api.get("/v2/checkout/orders/{}", payment_id)

    def _order_of(self, capture_id: str) -> str:
        return order_id(self._api.get("/v2/payments/captures/{}", capture_id))


def order_id(thing: PayPalJson) -> str:
    """The order an authorisation or a capture belongs to."""
    related = (thing.get("supplementary_data") or {}).get("related_ids") or {}
    return str(related.get("order_id") or "")


def _no_method(method: str | None) -> None:
    if method:
        raise Refused("How to pay is chosen at PayPal.", "method_not_supported")


def _made(order: PayPalJson, what: str) -> list[PayPalJson]:
    found: list[PayPalJson] = (order["purchase_units"][0].get("payments") or {}).get(what) or []
    return found


def _authorization(order: PayPalJson) -> PayPalJson:
    made = _made(order, "authorizations")
    if not made:
        raise Refused("The payer has not approved it yet.", "ORDER_NOT_APPROVED")
    return made[-1]


def _payment(order: PayPalJson) -> PaymentState:
    unit = order["purchase_units"][0]
    captures = _made(order, "captures")
    taken = [one for one in captures if one["status"] in CAPTURED]
    status = _status(order)
    declined = status is ProviderStatus.REQUIRES_PAYMENT_METHOD or any(one["status"] == "DECLINED" for one in captures)
    waits = status is ProviderStatus.REQUIRES_ACTION and order["status"] != "APPROVED"
    refunds = [one for one in _made(order, "refunds") if one["status"] == "COMPLETED"]
    return PaymentState(
        id=order["id"],
        status=status,
        amount_minor=minor_of(unit["amount"]),
        currency=unit["amount"]["currency_code"],
        captured_minor=sum(minor_of(one["amount"]) for one in taken),
        refunded_minor=sum(minor_of(one["amount"]) for one in refunds),
        next_url=link(order, "payer-action", "approve") if waits else "",
        failure=SENTENCE if declined and not taken else "",
        key=unit.get("custom_id") or "",
    )


def _status(order: PayPalJson) -> ProviderStatus:
    captures = {one["status"] for one in _made(order, "captures")}
    if captures & CAPTURED:
        return ProviderStatus.CAPTURED
    if "PENDING" in captures:
        return ProviderStatus.PROCESSING
    if authorizations := _made(order, "authorizations"):
        return AUTHORIZATIONS.get(authorizations[-1]["status"], ProviderStatus.PROCESSING)
    return ProviderStatus.CANCELLED if order["status"] == "VOIDED" else ProviderStatus.REQUIRES_ACTION


def _refund(refund: PayPalJson, payment_id: str) -> RefundState:
    status = REFUNDS.get(refund["status"], Done.PENDING)
    reason = (refund.get("status_details") or {}).get("reason") or ""
    return RefundState(
        id=refund["id"],
        status=status,
        amount_minor=minor_of(refund["amount"]),
        currency=refund["amount"]["currency_code"],
        payment_id=payment_id,
        failure=reason.replace("_", " ").lower() if status is Done.FAILED else "",
        key=refund.get("custom_id") or "",
    )
