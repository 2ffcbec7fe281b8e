"""The local PayPal's orders, authorisations, captures and refunds."""

from typing import Any

from tests.servers import paypal_shapes as shape
from tests.servers.paypal_store import Fault, Store, checked

DECLINED, DECLINED_LATER = "declined", "declined at capture"


def create_order(book: Store, body: dict[str, Any]) -> dict[str, Any]:
    """It waits for its payer."""
    unit = body["purchase_units"][0]
    checked(unit["amount"])
    if len(unit.get("custom_id", "")) > 255 or len(unit.get("description", "")) > 127:
        raise Fault(400, "INVALID_REQUEST", "INVALID_STRING_LENGTH")
    order = book.add("O", "order", intent=body["intent"], status="PAYER_ACTION_REQUIRED", purchase_units=[unit])
    unit["payments"] = {"authorizations": [], "captures": [], "refunds": []}
    order["links"] = [
        book.link("self", f"/v2/checkout/orders/{order['id']}"),
        book.link("payer-action", f"/checkoutnow?token={order['id']}"),
    ]
    return order


def approve(book: Store, order_id: str, wallet: str) -> None:
    """What the payer does at PayPal."""
    order = book.get(order_id, "order")
    order["status"] = "APPROVED"
    book.wallets[order_id] = wallet
    book.tell("CHECKOUT.ORDER.APPROVED", order)


def authorize(book: Store, _: dict[str, Any], order_id: str) -> dict[str, Any]:
    """The money is held."""
    order = book.get(order_id, "order")
    payments = order["purchase_units"][0]["payments"]
    if payments["authorizations"]:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "ORDER_ALREADY_AUTHORIZED")
    if order["status"] != "APPROVED":
        raise Fault(422, "UNPROCESSABLE_ENTITY", "ORDER_NOT_APPROVED")
    if book.wallets[order_id] == DECLINED:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED")
    unit = order["purchase_units"][0]
    held = {"status": "CREATED", "amount": unit["amount"], "custom_id": unit["custom_id"]}
    made = book.add("A", "authorization", **held, **_belongs(order_id))
    payments["authorizations"].append(made)
    order["status"] = "COMPLETED"
    book.tell("PAYMENT.AUTHORIZATION.CREATED", made)
    return order


def capture(book: Store, body: dict[str, Any], authorization_id: str) -> dict[str, Any]:
    """The money is ours."""
    held = book.get(authorization_id, "authorization")
    if held["status"] != "CREATED":
        raise Fault(422, "UNPROCESSABLE_ENTITY", "AUTHORIZATION_ALREADY_CAPTURED")
    if checked(body["amount"]) > checked(held["amount"]):
        raise Fault(422, "UNPROCESSABLE_ENTITY", "MAX_CAPTURE_AMOUNT_EXCEEDED")
    order_id = held["supplementary_data"]["related_ids"]["order_id"]
    declined = book.wallets[order_id] == DECLINED_LATER
    status = "DECLINED" if declined else "COMPLETED"
    more = {"amount": body["amount"], "custom_id": held["custom_id"], "final_capture": body.get("final_capture", False)}
    made = book.add("C", "capture", status=status, **more, **_belongs(order_id))
    book.get(order_id, "order")["purchase_units"][0]["payments"]["captures"].append(made)
    if declined:
        book.tell("PAYMENT.CAPTURE.DECLINED", made)
        return made
    held["status"] = "CAPTURED" if body["amount"] == held["amount"] else "PARTIALLY_CAPTURED"
    book.enter("T0006", made["id"], made["amount"], +1, custom_field=held["custom_id"])
    book.tell("PAYMENT.CAPTURE.COMPLETED", made)
    return made


def void(book: Store, _: dict[str, Any], authorization_id: str) -> dict[str, Any]:
    """The money is let go of."""
    held = book.get(authorization_id, "authorization")
    if held["status"] != "CREATED":
        issue = "PREVIOUSLY_VOIDED" if held["status"] == "VOIDED" else "PREVIOUSLY_CAPTURED"
        raise Fault(422, "UNPROCESSABLE_ENTITY", issue)
    held["status"] = "VOIDED"
    book.tell("PAYMENT.AUTHORIZATION.VOIDED", held)
    return held


def refund(book: Store, body: dict[str, Any], capture_id: str) -> dict[str, Any]:
    """Up to what is left, of a capture or of what paid for a subscription."""
    taken, refunds = _of_subscription(book, capture_id) or _of_order(book, capture_id)
    before = sum(checked(one["amount"]) for one in refunds if one["status"] != "FAILED")
    left = checked(taken["amount"]) - before - checked(body["amount"])
    if left < 0:
        raise Fault(422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED")
    taken["status"] = "PARTIALLY_REFUNDED" if left else "REFUNDED"
    links = [book.link("up", f"/v2/payments/captures/{capture_id}")]
    fields = {name: value for name, value in body.items() if name in {"custom_id", "invoice_id"}}
    made = book.add("R", "refund", status="COMPLETED", amount=body["amount"], links=links, **fields)
    refunds.append(made)
    book.enter("T1107", made["id"], made["amount"], -1, custom_field=fields.get("custom_id", ""))
    book.tell("PAYMENT.CAPTURE.REFUNDED", made)
    return made


def _of_order(book: Store, capture_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A capture, and what went back of its order."""
    taken = book.get(capture_id, "capture")
    order_id = taken["supplementary_data"]["related_ids"]["order_id"]
    return taken, book.get(order_id, "order")["purchase_units"][0]["payments"]["refunds"]


def _of_subscription(book: Store, transaction_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """A transaction, and what went back of it; no capture that could be asked for."""
    for subscription in book.of_kind("subscription"):
        for paid in subscription["paid"]:
            if paid["id"] == transaction_id:
                paid["amount"] = paid["amount_with_breakdown"]["gross_amount"]
                return paid, paid.setdefault("refunds", [])
    return None


def _belongs(order_id: str) -> dict[str, Any]:
    return {"supplementary_data": {"related_ids": {"order_id": order_id}}}


ROUTES = [
    ("POST", r"v2/checkout/orders", shape.OrderRequest, create_order),
    ("GET", r"v2/checkout/orders/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "order")),
    ("POST", r"v2/checkout/orders/([^/]+)/authorize", shape.Nothing, authorize),
    ("POST", r"v2/payments/authorizations/([^/]+)/capture", shape.CaptureRequest, capture),
    ("POST", r"v2/payments/authorizations/([^/]+)/void", shape.Nothing, void),
    ("GET", r"v2/payments/captures/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "capture")),
    ("POST", r"v2/payments/captures/([^/]+)/refund", shape.RefundRequest, refund),
    ("GET", r"v2/payments/refunds/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "refund")),
]
