"""The local Stripe's disputes: opened, answered and decided as banks do."""

import time
from typing import Any

import stripe.params as shape

from tests.servers.stripe_store import Fault, Store

FEE = 1500
CLOSED = {"won", "lost", "warning_closed"}


def open_dispute(book: Store, intent_id: str, *, reason: str = "fraudulent", is_inquiry: bool = False) -> str:
    """A bank takes the whole charge back (an inquiry takes nothing); returns the dispute's id."""
    charge = book.things[book.things[intent_id]["latest_charge"]]
    charge["disputed"] = True
    dispute = book.add(
        "du",
        "dispute",
        amount=charge["amount_captured"],
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=intent_id,
        reason=reason,
        status="warning_needs_response" if is_inquiry else "needs_response",
        evidence={"uncategorized_text": None},
        evidence_details={"due_by": int(time.time()) + 7 * 86_400, "has_evidence": False, "submission_count": 0},
        balance_transactions=[],
        metadata={},
    )
    if not is_inquiry:
        _move(book, dispute, "dispute", -dispute["amount"], FEE)
    book.tell("charge.dispute.created", dispute)
    return str(dispute["id"])


def decide(book: Store, dispute_id: str, status: str) -> None:
    """`won`, `lost` or `warning_closed`."""
    dispute = book.things[dispute_id]
    dispute["status"] = status
    book.things[dispute["charge"]]["disputed"] = status == "lost"
    if status == "won":
        _move(book, dispute, "dispute_reversal", dispute["amount"], 0)
    book.tell("charge.dispute.closed", dispute)


def _move(book: Store, dispute: dict[str, Any], category: str, amount: int, fee: int) -> None:
    entry = book.enter(category, dispute, amount, fee)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], entry]


def update(book: Store, params: dict[str, Any], dispute_id: str) -> dict[str, Any]:
    """The evidence goes to the bank."""
    dispute = book.get(dispute_id, kind="dispute")
    if dispute["status"] in CLOSED:
        raise Fault(400, "invalid_request_error", "This dispute is already closed.", code="dispute_closed")
    if paper := params.get("evidence", {}).get("uncategorized_file"):
        book.get(paper, kind="file")
    dispute["evidence"] = {**dispute["evidence"], **params.get("evidence", {})}
    dispute["status"] = "warning_under_review" if dispute["status"].startswith("warning") else "under_review"
    dispute["evidence_details"] |= {"has_evidence": True, "submission_count": 1}
    book.tell("charge.dispute.updated", dispute)
    return dispute


def create_file(book: Store, params: dict[str, Any]) -> dict[str, Any]:
    """A paper for a bank."""
    if params["purpose"] != "dispute_evidence":
        raise Fault(400, "invalid_request_error", "Invalid purpose.")
    name, _, data = params["file"].partition(" ")
    return book.add("file", "file", purpose=params["purpose"], filename=name, size=len(data) // 2, metadata={})


ROUTES = [
    ("POST", r"files", shape.FileCreateParams, create_file),
    ("GET", r"disputes/([^/]+)", shape.DisputeRetrieveParams, lambda book, _, i: book.get(i, kind="dispute")),
    ("POST", r"disputes/([^/]+)", shape.DisputeUpdateParams, update),
]
