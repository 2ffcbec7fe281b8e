"""Tasks and applications in and out."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from marketplace.core.http.fields import Amount, Choice, Int, Links, Moment, Num, Str, Words, latitude, longitude
from marketplace.core.http.schemas import (
    Currency,
    Input,
    NearEnough,
    PageQuery,
    Query,
    available_actions,
    several_categories,
)
from marketplace.deals.schemas import PayDealSchema
from marketplace.payments.schemas import PaymentDetailSchema
from marketplace.payments.subscriptions.schemas import SubscriptionSchema
from marketplace.tasks.lifecycle import APPLICATION_LIFECYCLE, TASK_LIFECYCLE, ApplicationStatus, TaskStatus
from marketplace.tasks.models import DIFFICULTIES, PAYMENTS, PRIORITIES

SEEN_STATES = tuple(state for state in TaskStatus if state is not TaskStatus.DELETED)


class TasksQuery(NearEnough):
    """How the board is narrowed."""

    radius = Num(least=0, most=20_100, load_default=10.0, example=10, metadata={"description": "km"})
    status = Choice(*SEEN_STATES, load_default="open")
    category = several_categories("moving")
    subcategory = Str(longest=60, example="piano")
    min_budget = Amount(example=10)
    max_budget = Amount(example=200)
    urgent = fields.Boolean(metadata={"example": True})


class TasksOfPersonQuery(TasksQuery):
    """One person's tasks, in one state or all."""

    status = Choice(*SEEN_STATES)


class MyTasksQuery(PageQuery):
    """One's own, in one state or all."""

    status = Choice(*SEEN_STATES)


class ApplicationsQuery(PageQuery):
    """Applications, in one state or all."""

    status = Choice(*ApplicationStatus)


class TaskChangesSchema(Input):
    """Only what is sent is changed."""

    title = Str(shortest=1, longest=200, example="Carry a sofa to the third floor")
    description = Str(shortest=1, longest=20_000, example="Two people, no lift, about half an hour.")
    category = Str(shortest=1, longest=100, example="moving")
    subcategory = Str(longest=60, example="furniture")
    location = Str(longest=300, example="Tērbatas iela 12, Rīga")
    latitude = latitude()
    longitude = longitude()
    radius = Num(least=0, most=20_100, example=5, metadata={"description": "km"})
    budget = Amount(example=40)
    currency = Currency()
    deadline = Moment(example="2030-06-01T12:00:00Z")
    priority = Choice(*PRIORITIES, *DIFFICULTIES, example="normal")
    difficulty = Choice(*DIFFICULTIES)
    is_urgent = fields.Boolean(metadata={"example": False})
    required_skills = Words(example="strong back, van")
    images = Links()
    payment = Choice(*PAYMENTS, metadata={"description": "escrow: held by the marketplace until confirmed"})


class TaskInputSchema(TaskChangesSchema):
    """A new task."""

    title = Str(required=True, shortest=1, longest=200, example="Carry a sofa to the third floor")
    description = Str(required=True, shortest=1, longest=20_000, example="Two people, no lift, about half an hour.")
    category = Str(required=True, shortest=1, longest=100, example="moving")
    location = Str(required=True, shortest=1, longest=300, example="Tērbatas iela 12, Rīga")
    latitude = latitude(required=True)
    longitude = longitude(required=True)


class ApplySchema(Input):
    """An offer to do a task."""

    message = Str(longest=5000, example="I have a van and can come today.")
    proposed_price = Amount(example=35)


class AcceptByPathSchema(Input):
    """The price that was seen (409 where it is another one by now), needed where money is charged or to be held, with
    its currency if the payer's is another; and how it is paid now, else the payment is confirmed afterwards."""

    price = Amount(example=40)
    currency = Currency()
    payment_method = Str(longest=255, example="pm_card_visa")


class AcceptSchema(AcceptByPathSchema):
    """Which applicant."""

    application_id = Int(required=True, example=1)


class QuoteQuery(Query):
    """Of which offer, before it is accepted."""

    application_id = Int(example=1)


class PaySchema(PayDealSchema):
    """For what: a task or a plan, one of the two."""

    task_id = Int(least=1, example=7)
    plan = Str(shortest=1, longest=30, allow_none=True, example=None, metadata={"description": "Subscribe to this one"})

    @validates_schema
    def one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        """Neither is nothing to pay for, and both is two payments."""
        if ("task_id" in data) == ("plan" in data):
            raise ValidationError("Send task_id or plan, one of the two.", "task_id")


class BegunPaymentSchema(PaymentDetailSchema):
    """A payment; one for a plan is paid to the marketplace itself, its id is the subscription's."""

    payee_id = Int(required=True, allow_none=True, example=2)
    subscription = fields.Nested(SubscriptionSchema, allow_none=True, metadata={"example": None})


class ReasonSchema(Input):
    """Why; may be left out."""

    reason = Str(longest=5000, example="My plans have changed.")


class DoneSchema(Input):
    """What the worker wants to say or show."""

    note = Str(longest=5000, example="The sofa stands by the window.")
    images = Links()


class ApplicationSummarySchema(Schema):
    """One's own application beside the task."""

    id = Int(required=True, example=1)
    status = Str(required=True, example="pending")
    message = Str(required=True, longest=5000, example="I have a van and can come today.")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class TaskSchema(Schema):
    """A task; `distance` (km) only where asked by position, what one has to do with it only with a token."""

    id = Int(required=True, example=1)
    title = Str(required=True, example="Carry a sofa to the third floor")
    description = Str(required=True, longest=20_000, example="Two people, no lift, about half an hour.")
    category = Str(required=True, example="moving")
    subcategory = Str(required=True, allow_none=True, example="furniture")
    budget = Num(least=0, most=1e12, required=True, allow_none=True, example=40.0)
    reward = Num(least=0, most=1e12, required=True, allow_none=True, example=40.0)
    budget_minor = Int(required=True, allow_none=True, example=4000)
    price_minor = Int(required=True, allow_none=True, example=4000)
    currency = Str(required=True, example="EUR")
    location = Str(required=True, example="Tērbatas iela 12, Rīga")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    creator_id = Int(required=True, example=1)
    creator_name = Str(required=True, example="Anna Kalniņa")
    creator_avatar = Str(required=True, example="https://example.com/me.jpg")
    creator_city = Str(required=True, example="Rīga")
    creator_rating = Num(least=0, most=5, required=True, example=4.8)
    creator_review_count = Int(required=True, example=21)
    assigned_to_id = Int(required=True, allow_none=True, example=2)
    assigned_to_name = Str(required=True, allow_none=True, example="Juris Bērziņš")
    radius = Num(least=0, most=20_100, required=True, allow_none=True, example=5.0)
    required_skills = fields.List(fields.String(), required=True, metadata={"example": ["van"]})
    image_urls = fields.List(fields.String(), required=True, metadata={"example": ["https://example.com/1.jpg"]})
    images = Str(required=True, longest=50_000, example="https://example.com/1.jpg")
    priority = Str(required=True, example="normal")
    status = Str(required=True, example="assigned")
    deadline = fields.DateTime(required=True, allow_none=True, metadata={"example": "2030-06-01T12:00:00Z"})
    responses_count = Int(required=True, example=3)
    is_urgent = fields.Boolean(required=True, metadata={"example": False})
    difficulty = Str(required=True, allow_none=True, example="easy")
    is_booking = fields.Boolean(required=True, metadata={"example": False})
    payment = Choice(*PAYMENTS, required=True)
    agreed_price = Num(least=0, most=1e12, required=True, allow_none=True, example=35.0)
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    completed_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    confirms_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"example": None, "description": "When finished work counts as confirmed by itself"},
    )
    cancel_reason = Str(
        required=True,
        allow_none=True,
        longest=5000,
        example=None,
        metadata={"description": "Why it was cancelled, as they said it; for its two sides"},
    )
    available_actions = available_actions("edit", "cancel", "delete", of=TASK_LIFECYCLE.requests)
    distance = Num(least=0, most=20_100, example=0.84)
    pending_applications_count = Int(example=2)
    has_applied = fields.Boolean(metadata={"example": False})
    user_application = fields.Nested(ApplicationSummarySchema, allow_none=True)


class TaskDetailSchema(TaskSchema):
    """A task; its two sides also learn of its payment."""

    payment_id = Int(allow_none=True, example=1)
    payment_status = Str(allow_none=True, example="held")
    cancelled_by_id = Int(allow_none=True, example=None, metadata={"description": "Null where the marketplace did"})


class ApplicationSchema(Schema):
    """An application with what its owner wants to know of the applicant; `amount` is what is paid where it is accepted:
    what was proposed, else the budget it was made for."""

    id = Int(required=True, example=1)
    task_id = Int(required=True, example=1)
    applicant_id = Int(required=True, example=2)
    applicant_name = Str(required=True, example="Juris Bērziņš")
    applicant_avatar = Str(required=True, example="https://example.com/juris.jpg")
    applicant_rating = Num(least=0, most=5, required=True, example=4.9)
    applicant_review_count = Int(required=True, example=12)
    applicant_completed_tasks = Int(required=True, example=14)
    applicant_member_since = fields.DateTime(required=True, metadata={"example": "2025-01-31T10:00:00Z"})
    applicant_bio = Str(required=True, longest=5000, example="I move things.")
    applicant_city = Str(required=True, example="Rīga")
    message = Str(required=True, longest=5000, example="I have a van and can come today.")
    proposed_price = Num(least=0, most=1e12, required=True, allow_none=True, example=35.0)
    price_minor = Int(required=True, allow_none=True, example=3500)
    amount = Num(least=0, most=1e12, required=True, allow_none=True, example=35.0)
    amount_minor = Int(required=True, allow_none=True, example=3500)
    currency = Str(required=True, example="EUR")
    status = Str(required=True, example="pending")
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    available_actions = available_actions("withdraw", of=APPLICATION_LIFECYCLE.requests)


class MyApplicationSchema(ApplicationSchema):
    """One's own application with its task."""

    task = fields.Nested(TaskSchema, required=True, allow_none=True)


class AttentionSchema(Schema):
    """What waits for this person."""

    pending_applications = Int(required=True, example=2)
    pending_confirmation = Int(required=True, example=1)
    accepted_applications = Int(required=True, example=0)
    total = Int(required=True, example=3)
