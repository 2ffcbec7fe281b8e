"""Disputes in and out."""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from marketplace.core.http.fields import Amount, Choice, Int, Num, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery, available_actions
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, OFFER_LIFECYCLE, DisputeStatus, OfferStatus
from marketplace.disputes.models import OUTCOMES, REASONS
from marketplace.disputes.summary import CANCELLED, PAY_WORKER, REFUND, RESOLUTIONS
from marketplace.disputes.timeline import KINDS
from marketplace.kit.json_types import JsonObject

TIME = "2026-01-31T10:00:00Z"
FILE = "0f3a9c5be1d24f7a8b6c0d1e2f3a4b5c.pdf"
PICTURE = "0f3a9c5be1d24f7a8b6c0d1e2f3a4b5c.jpg"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MOST_FILES = 10
SAID = "The shelf is crooked and two screws are missing."
SHORTEST_DESCRIPTION = 20
OUTCOME_OF = {REFUND: CANCELLED, CANCELLED: CANCELLED, PAY_WORKER: "completed"}
CLOSED = "outcome without money: `completed` or `cancelled`"


def money(example: float | None) -> Num:
    """Major units; null where nothing is held."""
    return Num(least=0, most=1e12, required=True, allow_none=True, example=example)


def minor(example: int | None) -> Int:
    """Minor units."""
    return Int(required=True, allow_none=True, example=example)


def files() -> fields.List[str]:
    """Files of one's own: their names or addresses as the upload answered them."""
    return fields.List(
        Str(longest=500, shortest=1, example=FILE),
        validate=validate.Length(max=MOST_FILES, error=f"{MOST_FILES} files at most."),
        metadata={"example": [], "description": "Also as `evidence_images`"},
    )


def moment(example: str | None = TIME) -> fields.DateTime:
    """A moment that may not have come."""
    return fields.DateTime(required=True, allow_none=example is None, metadata={"example": example})


def pictures() -> fields.List[str]:
    """Addresses of pictures that a side showed and has not deleted."""
    return fields.List(fields.String(), required=True, metadata={"example": [f"/api/uploads/{PICTURE}"]})


class DisputesQuery(PageQuery):
    """In one state or all."""

    status = Choice(*DisputeStatus)


class DisputeInputSchema(Input):
    """A new dispute, about a deal: by its name, or by the id of its task; and files that show it."""

    input_aliases: ClassVar[dict[str, str]] = {"evidence_images": "files"}

    task_id = Int(least=1, example=7)
    deal = Str(longest=40, allow_none=True, example=None, metadata={"description": "Instead of task_id: task:7"})
    reason = Choice(*REASONS, required=True)
    description = Str(required=True, shortest=SHORTEST_DESCRIPTION, longest=5000, example=SAID)
    files = files()

    @validates_schema
    def one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        """Both could be two deals."""
        if (data.get("task_id") is None) == (data.get("deal") is None):
            raise ValidationError("Send task_id or deal, one of the two.", "task_id")


class ResponseSchema(Input):
    """How I see it, and files that show it: their names or addresses as the upload answered them."""

    input_aliases: ClassVar[dict[str, str]] = {"evidence_images": "files", "description": "content"}
    content = Str(
        required=True,
        shortest=1,
        longest=5000,
        example="The wall is crooked; the shelf is straight.",
        metadata={"description": "Also as `description`"},
    )
    files = files()


class EvidenceInputSchema(Input):
    """One file of mine, its name or address as the upload answered it."""

    file = Str(required=True, shortest=1, longest=500, example=FILE)
    note = Str(longest=1000, example="The shelf on Friday.")


class OfferInputSchema(Input):
    """How much of what is held the worker is to have, before the fee, in its currency; where nothing is held, how it
    is to end."""

    amount = Amount(example=25)
    outcome = Choice(*OUTCOMES, example=None, metadata={"description": CLOSED})


class AppealSchema(Input):
    """Why the decision is wrong."""

    reason = Str(required=True, shortest=1, longest=5000, example="The second picture was not looked at.")


class ResolveSchema(Input):
    """The decision, and why. The split in major or in minor units of the currency that is held; `resolution` says the
    outcome in one word (`partial` needs the split beside it)."""

    input_aliases: ClassVar[dict[str, str]] = {"resolution_notes": "note"}

    worker_amount = Amount(example=25)
    worker_minor = Int(example=None)
    outcome = Choice(*OUTCOMES, example=None, metadata={"description": CLOSED})
    resolution = Choice(*RESOLUTIONS, example=None, metadata={"description": "Instead of `outcome`"})
    note = Str(
        required=True,
        shortest=1,
        longest=5000,
        example="Most of it was done well.",
        metadata={"description": "Also as `resolution_notes`"},
    )

    @post_load
    def resolved(self, data: JsonObject, **_: Any) -> JsonObject:
        """The outcome that the word means."""
        word = data.pop("resolution", None)
        return {"outcome": OUTCOME_OF[str(word)], **data} if word in OUTCOME_OF else data


class ReasonOfDisputeSchema(Schema):
    """What a dispute can be about."""

    key = Choice(*REASONS, required=True)
    title = Str(required=True, example="The work is not good enough")
    value = Choice(*REASONS, required=True)
    label = Str(required=True, example="The work is not good enough")


class ReasonsSchema(Schema):
    """All of them."""

    reasons = fields.List(fields.Nested(ReasonOfDisputeSchema), required=True)


class DisputeSchema(Schema):
    """A dispute as lists show it. The terms are those of the decision in force or of what was agreed on."""

    id = Int(required=True, example=1)
    deal = Str(required=True, example="task:7")
    task_id = Int(required=True, allow_none=True, example=7)
    task_title = Str(required=True, example="Put up a shelf")
    status = Choice(*DisputeStatus, required=True)
    reason = Choice(*REASONS, required=True)
    reason_label = Str(required=True, example="The work is not good enough")
    description = Str(required=True, example=SAID)
    filed_by_id = Int(required=True, example=1)
    filed_by_name = Str(required=True, example="Anna Kalniņa")
    filed_against_id = Int(required=True, example=2)
    filed_against_name = Str(required=True, example="Juris Bērziņš")
    evidence_images = pictures()
    response_description = Str(required=True, allow_none=True, example="The wall is crooked; the shelf is straight.")
    response_images = pictures()
    responded_at = moment()
    resolution = Choice(*RESOLUTIONS, required=True, allow_none=True, example=None)
    resolution_notes = Str(required=True, allow_none=True, example=None)
    resolved_at = moment(None)
    support_email = Str(required=True, example="help@example.com")
    opened_by_id = Int(required=True, example=1)
    opened_by_name = Str(required=True, example="Anna Kalniņa")
    against_id = Int(required=True, example=2)
    against_name = Str(required=True, example="Juris Bērziņš")
    response_due_at = moment()
    outcome = Choice(*OUTCOMES, required=True, allow_none=True, example=None)
    to_worker = money(None)
    to_worker_minor = minor(None)
    currency = Currency(required=True, allow_none=True)
    final_at = moment(None)
    appealed_by_id = Int(required=True, allow_none=True, example=None)
    appeal_reason = Str(required=True, example="")
    created_at = moment()
    updated_at = moment()
    available_actions = available_actions("respond", "add_evidence", of=DISPUTE_LIFECYCLE.requests)


class StatementSchema(Schema):
    """What a side said."""

    id = Int(required=True, example=1)
    author_id = Int(required=True, example=2)
    content = Str(required=True, example="The wall is crooked; the shelf is straight.")
    created_at = moment()


class EvidenceSchema(Schema):
    """What a side showed; `sha256` is of the bytes behind `url` when it was added. Without a `url` its owner has
    deleted the file since."""

    id = Int(required=True, example=1)
    author_id = Int(required=True, example=2)
    note = Str(required=True, example="The shelf on Friday.")
    sha256 = Str(required=True, example=SHA256)
    size = Int(required=True, example=120_000)
    content_type = Str(required=True, example="application/pdf")
    filename = Str(required=True, allow_none=True, example=FILE)
    url = Str(required=True, allow_none=True, example=f"/api/uploads/{FILE}?expires=1790000000&signature=mM5T1LQ0")
    created_at = moment()


class TermsSchema(Schema):
    """How it would end, or ends."""

    id = Int(required=True, example=1)
    outcome = Choice(*OUTCOMES, required=True)
    to_worker = money(25.0)
    to_worker_minor = minor(2500)
    currency = Currency(required=True, allow_none=True)


class OfferSchema(TermsSchema):
    """What a side offers."""

    author_id = Int(required=True, example=1)
    status = Choice(*OfferStatus, required=True)
    created_at = moment()
    available_actions = available_actions("accept", "decline", of=OFFER_LIFECYCLE.requests)


class DecisionSchema(TermsSchema):
    """What staff decided, and why."""

    decided_by_id = Int(required=True, example=3)
    decided_at = moment()
    note = Str(required=True, example="Most of it was done well.")


class StepSchema(Schema):
    """One step of the story: by nobody where it was the clock; `subject_id` is the statement, evidence, offer or
    decision."""

    event = Choice(*KINDS, required=True)
    at = moment()
    actor_id = Int(required=True, allow_none=True, example=1)
    subject_id = Int(required=True, allow_none=True, example=None)


class DisputeDetailSchema(DisputeSchema):
    """The whole file; `held` is what is in escrow now."""

    held = money(40.0)
    held_minor = minor(4000)
    statements = fields.List(fields.Nested(StatementSchema), required=True)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)
    offers = fields.List(fields.Nested(OfferSchema), required=True)
    decisions = fields.List(fields.Nested(DecisionSchema), required=True)
    timeline = fields.List(fields.Nested(StepSchema), required=True)


class DisputeAnswerSchema(DisputeDetailSchema):
    """The whole file, and the same under `dispute`."""

    dispute = fields.Nested(DisputeDetailSchema, required=True)


class DisputesOfTaskSchema(DisputeDetailSchema):
    """The newest dispute about a task in full, and all of them, the newest first."""

    disputes = fields.List(fields.Nested(DisputeSchema), required=True)
    total = Int(required=True, example=1)
