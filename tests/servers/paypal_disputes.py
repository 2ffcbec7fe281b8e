"""The local PayPal's disputes: opened by payers, answered by us, decided by PayPal."""

from typing import Any, NotRequired, TypedDict

from tests.servers import paypal_shapes as shape
from tests.servers.paypal_store import Fault, Store, stamp


class DisputesQuery(TypedDict):
    """GET /v1/customer/disputes."""

    disputed_transaction_id: NotRequired[str]


def open_dispute(book: Store, order_id: str) -> str:
    """A payer disputes what was captured; the money is only held back. Returns the dispute's id."""
    (capture,) = book.get(order_id, "order")["purchase_units"][0]["payments"]["captures"]
    dispute = book.add(
        "PP-D-",
        "dispute",
        disputed_transactions=[{"seller_transaction_id": capture["id"]}],
        dispute_amount=capture["amount"],
        reason="MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        status="WAITING_FOR_SELLER_RESPONSE",
        dispute_life_cycle_stage="CHARGEBACK",
        seller_response_due_date=stamp(),
        evidences=[],
    )
    dispute["dispute_id"] = dispute["id"]
    book.tell("CUSTOMER.DISPUTE.CREATED", dispute)
    return str(dispute["id"])


def decide(book: Store, dispute_id: str, outcome: str) -> None:
    """RESOLVED_BUYER_FAVOUR takes the money, RESOLVED_SELLER_FAVOUR leaves it."""
    dispute = book.get(dispute_id, "dispute")
    dispute |= {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}}
    if outcome == "RESOLVED_BUYER_FAVOUR":
        dispute["dispute_outcome"]["amount_refunded"] = dispute["dispute_amount"]
        about = dispute["disputed_transactions"][0]["seller_transaction_id"]
        book.enter("T1106", book.number("V"), dispute["dispute_amount"], -1, paypal_reference_id=about)
    book.tell("CUSTOMER.DISPUTE.RESOLVED", dispute)


def provide_evidence(book: Store, body: dict[str, Any], dispute_id: str) -> dict[str, Any]:
    """Kept with the case while it goes on."""
    dispute = book.get(dispute_id, "dispute")
    if dispute["status"] == "RESOLVED":
        raise Fault(422, "UNPROCESSABLE_ENTITY", "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
    dispute["evidences"] += body["input"]["evidences"]
    if "evidence-file" in body:
        name, content_type, _ = body["evidence-file"]
        dispute["evidences"][-1]["documents"] = [{"name": name, "type": content_type}]
    dispute["status"] = "UNDER_REVIEW"
    book.tell("CUSTOMER.DISPUTE.UPDATED", dispute)
    return {"links": []}


def find(book: Store, query: dict[str, Any]) -> dict[str, Any]:
    """Those about a transaction, the latest first."""
    wanted = query.get("disputed_transaction_id")
    found = [
        one
        for one in reversed(book.of_kind("dispute"))
        if wanted in {None, one["disputed_transactions"][0]["seller_transaction_id"]}
    ]
    return {"items": [{"dispute_id": one["id"], "status": one["status"]} for one in found]}


ROUTES = [
    ("GET", r"v1/customer/disputes", DisputesQuery, find),
    ("GET", r"v1/customer/disputes/([^/]+)", shape.Nothing, lambda book, _, i: book.get(i, "dispute")),
    ("POST", r"v1/customer/disputes/([^/]+)/provide-evidence", None, provide_evidence),
]
