"""/api/disputes: a disagreement about a task, from the first word to the end of it."""

from typing import Any

from marketplace.core.http.access import ANYONE, SIGNED_IN, allowed_to, current_user, reader_language
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import created, page_of, written
from marketplace.deals.models import task_reference
from marketplace.disputes import queries, service
from marketplace.disputes.evidence import service as evidence_service
from marketplace.disputes.schemas import (
    AppealSchema,
    DisputeAnswerSchema,
    DisputeDetailSchema,
    DisputeInputSchema,
    DisputeSchema,
    DisputesOfTaskSchema,
    DisputesQuery,
    EvidenceInputSchema,
    OfferInputSchema,
    ReasonsSchema,
    ResolveSchema,
    ResponseSchema,
)
from marketplace.disputes.settlement import service as settlement_service
from marketplace.kit.json_types import JsonObject

bp = Blueprint(
    "disputes", __name__, url_prefix="/api/disputes", area="disputes", access=SIGNED_IN, description="Disputes"
)
DisputeWritten = written(DisputeDetailSchema, "dispute")


def _answer(dispute_id: int, message: str) -> JsonObject:
    return written_answer("dispute", queries.detail(current_user(), dispute_id), message)


@bp.get("/reasons", access=ANYONE)
@bp.response(200, ReasonsSchema)
def list_dispute_reasons() -> Answer:
    """List what a dispute can be about."""
    return {"reasons": queries.reasons(reader_language())}


@bp.get("")
@bp.arguments(queries.BROWSE.arguments(DisputesQuery), location="query")
@bp.response(200, page_of(DisputeSchema, "disputes"))
def list_disputes(query: dict[str, Any]) -> Answer:
    """List the disputes I am a side of; whoever decides sees all."""
    return queries.of(current_user(), **query)


@bp.post("", transaction=False)
@bp.arguments(DisputeInputSchema)
@bp.response(201, created(DisputeDetailSchema, "dispute"))
def open_dispute(data: dict[str, Any]) -> Answer:
    """Say that the two sides of a task do not agree, and why."""
    dispute = evidence_service.open_dispute(current_user(), **data)
    found = queries.detail(current_user(), dispute.id)
    return Created("dispute", found, "/api/disputes", "The dispute is open. The other side has been asked.")


@bp.get("/<int:dispute_id>")
@bp.response(200, DisputeAnswerSchema)
def show_dispute(dispute_id: int) -> Answer:
    """Show a dispute with everything in its file; addresses of documents open for a quarter of an hour."""
    return queries.with_envelope(queries.detail(current_user(), dispute_id))


@bp.get("/task/<int:task_id>")
@bp.response(200, DisputesOfTaskSchema)
def show_dispute_of_task(task_id: int) -> Answer:
    """Show the newest dispute about a task, and list all of them."""
    return queries.about(current_user(), task_reference(task_id))


@bp.post("/<int:dispute_id>/respond", transaction=False)
@bp.arguments(ResponseSchema)
@bp.response(200, DisputeWritten)
def respond_to_dispute(data: dict[str, Any], dispute_id: int) -> Answer:
    """Say how I see it."""
    evidence_service.respond(current_user(), dispute_id, **data)
    return _answer(dispute_id, "Thank you. It is in the file.")


@bp.post("/<int:dispute_id>/evidence", transaction=False)
@bp.arguments(EvidenceInputSchema)
@bp.response(200, DisputeWritten)
def add_evidence(data: dict[str, Any], dispute_id: int) -> Answer:
    """Add a file of mine as evidence; its SHA-256 is kept, so that anybody can prove it was not changed."""
    evidence_service.show(current_user(), dispute_id, **data)
    return _answer(dispute_id, "The file is evidence now.")


@bp.post("/<int:dispute_id>/offers")
@bp.arguments(OfferInputSchema)
@bp.response(200, DisputeWritten)
def make_offer(data: dict[str, Any], dispute_id: int) -> Answer:
    """Offer the other side to settle; it takes the place of my offer before."""
    settlement_service.offer(current_user(), dispute_id, **data)
    return _answer(dispute_id, "The other side has your offer.")


@bp.post("/<int:dispute_id>/offers/<int:offer_id>/accept", money=True)
@bp.response(200, DisputeWritten)
def accept_offer(dispute_id: int, offer_id: int) -> Answer:
    """Accept the other side's offer: the dispute is over and the money moves at once."""
    settlement_service.accept(current_user(), dispute_id, offer_id)
    return _answer(dispute_id, "Settled.")


@bp.post("/<int:dispute_id>/offers/<int:offer_id>/decline")
@bp.response(200, DisputeWritten)
def decline_offer(dispute_id: int, offer_id: int) -> Answer:
    """Decline the other side's offer."""
    settlement_service.decline(current_user(), dispute_id, offer_id)
    return _answer(dispute_id, "The offer is declined.")


@bp.delete("/<int:dispute_id>/offers/<int:offer_id>")
@bp.response(200, DisputeWritten)
def withdraw_offer(dispute_id: int, offer_id: int) -> Answer:
    """Withdraw my offer."""
    settlement_service.take_back(current_user(), dispute_id, offer_id)
    return _answer(dispute_id, "Your offer is withdrawn.")


@bp.post("/<int:dispute_id>/appeal")
@bp.arguments(AppealSchema)
@bp.response(200, DisputeWritten)
def appeal_decision(data: dict[str, Any], dispute_id: int) -> Answer:
    """Ask staff to decide once more, before the decision is final."""
    service.appeal(current_user(), dispute_id, **data)
    return _answer(dispute_id, "Staff will look at it once more. What they decide then is final.")


@bp.post("/<int:dispute_id>/withdraw")
@bp.response(200, DisputeWritten)
def withdraw_dispute(dispute_id: int) -> Answer:
    """Take back the dispute I opened, while nothing is decided; the work goes on."""
    settlement_service.withdraw(current_user(), dispute_id)
    return _answer(dispute_id, "The dispute is withdrawn.")


@bp.put("/<int:dispute_id>/resolve", access=allowed_to(May.DECIDE_DISPUTES))
@bp.arguments(ResolveSchema)
@bp.response(200, DisputeWritten)
def resolve_dispute(data: dict[str, Any], dispute_id: int) -> Answer:
    """Decide: final in a few days unless a side appeals, at once after an appeal."""
    settlement_service.decide(current_user(), dispute_id, **data)
    return _answer(dispute_id, "Decided.")
