"""Reviews in and out."""

from typing import Any

from marshmallow import Schema, fields, post_load

from marketplace.auth.schemas import PublicUserSchema, UserSchema
from marketplace.core.http.fields import Choice, Int, Num, Str
from marketplace.core.http.schemas import Input, PageQuery
from marketplace.kit.json_types import JsonObject
from marketplace.listings.schemas import ListingSchema
from marketplace.offerings.schemas import OfferingSchema
from marketplace.reviews.models import CLIENT_TO_WORKER, WORKER_TO_CLIENT
from marketplace.tasks.schemas import MyApplicationSchema, TaskSchema


class ReviewsOfQuery(PageQuery):
    """Reviews of one person or task; `review_type` says who rated whom."""

    rating = Int(least=1, most=5, example=5)
    rating_min = Int(least=1, most=5, example=4)
    rating_max = Int(least=1, most=5, example=5)
    review_type = Choice(CLIENT_TO_WORKER, WORKER_TO_CLIENT, example=CLIENT_TO_WORKER)
    has_reply = fields.Boolean(metadata={"example": True})


class ReviewsQuery(ReviewsOfQuery):
    """How reviews are narrowed."""

    reviewer_id = Int(example=1)
    reviewed_user_id = Int(example=2)
    listing_id = Int(example=3)
    task_id = Int(example=1)


class ReviewChangesSchema(Input):
    """Only what is sent is changed; `comment` is another name for `content`."""

    rating = Int(least=1, most=5, example=5)
    content = Str(longest=5000, example="Came on time and was careful with the stairs.")
    comment = Str(longest=5000, example="Came on time and was careful with the stairs.")

    @post_load
    def one_name(self, data: dict[str, Any], **_: Any) -> JsonObject:
        """Keep `content`."""
        comment = data.pop("comment", None)
        return data if comment is None or "content" in data else {**data, "content": comment}


class TaskReviewInputSchema(ReviewChangesSchema):
    """A review of the other side of a task."""

    rating = Int(required=True, least=1, most=5, example=5)


class ReviewInputSchema(TaskReviewInputSchema):
    """A review; without a deal named, of the latest completed one not reviewed yet."""

    reviewed_user_id = Int(required=True, example=2)
    deal = Str(longest=40, example="task:1")
    task_id = Int(example=1)
    order_id = Int(example=1)
    listing_id = Int(example=3)


class ReviewReplyInputSchema(Input):
    """What whom a review is about says to it."""

    content = Str(required=True, shortest=1, longest=5000, example="Thank you, it was a pleasure.")


class ReviewPersonSchema(Schema):
    """Who wrote a review, or whom it is about."""

    id = Int(required=True, example=1)
    username = Str(required=True, example="anna_k")
    first_name = Str(required=True, example="Anna")
    last_name = Str(required=True, example="Kalniņa")
    avatar_url = Str(required=True, example="https://example.com/anna.jpg")
    profile_picture_url = Str(required=True, example="https://example.com/anna.jpg")


class ReviewSchema(Schema):
    """A review."""

    id = Int(required=True, example=1)
    reviewer_id = Int(required=True, example=1)
    reviewer_name = Str(required=True, example="Anna Kalniņa")
    reviewer_avatar = Str(required=True, example="https://example.com/anna.jpg")
    reviewed_user_id = Int(required=True, example=2)
    reviewed_user_name = Str(required=True, example="Juris Bērziņš")
    reviewer = fields.Nested(ReviewPersonSchema, required=True)
    reviewed_user = fields.Nested(ReviewPersonSchema, required=True)
    deal = Str(required=True, example="task:1")
    task_id = Int(required=True, allow_none=True, example=1)
    listing_id = Int(required=True, allow_none=True, example=None)
    review_type = Str(required=True, example="client_to_worker")
    rating = Int(least=1, most=5, required=True, example=5)
    content = Str(required=True, longest=5000, example="Came on time and was careful with the stairs.")
    comment = Str(required=True, longest=5000, example="Came on time and was careful with the stairs.")
    reply = Str(required=True, allow_none=True, longest=5000, example="Thank you, it was a pleasure.")
    replied_at = fields.DateTime(required=True, allow_none=True, metadata={"example": "2026-02-01T10:00:00Z"})
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class FiguresSchema(Schema):
    """How many and how good."""

    count = Int(required=True, example=12)
    average = Num(least=0, most=5, required=True, example=4.9)


class ReviewStatsSchema(Schema):
    """A person's reviews in figures."""

    user_id = Int(required=True, example=2)
    total_reviews = Int(required=True, example=12)
    average_rating = Num(least=0, most=5, required=True, example=4.9)
    rating_breakdown = fields.Dict(required=True, metadata={"example": {"1": 0, "2": 0, "3": 0, "4": 1, "5": 11}})
    as_worker = fields.Nested(FiguresSchema, required=True)
    as_client = fields.Nested(FiguresSchema, required=True)


class CanReviewSchema(Schema):
    """Whether, whom and as what; or why not. `min_content_length` in characters."""

    can_review = fields.Boolean(required=True, metadata={"example": True})
    reason = fields.String(metadata={"example": "You have reviewed this deal already."})
    review_type = fields.String(metadata={"example": "client_to_worker"})
    reviewee = fields.Nested(PublicUserSchema)
    existing_review = fields.Nested(ReviewSchema)
    task = fields.Nested(TaskSchema, required=True)
    min_content_length = Int(required=True, example=0)


class ReviewableSchema(Schema):
    """A completed deal that waits for a review."""

    deal = Str(required=True, example="task:1")
    type = Str(required=True, example="task")
    id = Int(required=True, example=1)
    title = Str(required=True, example="Carry a sofa to the third floor")
    completed_at = fields.DateTime(required=True, allow_none=True, metadata={"example": "2026-01-31T10:00:00Z"})
    your_role = Str(required=True, example="client")
    review_type = Str(required=True, example="client_to_worker")


class CanReviewUserSchema(Schema):
    """The completed deals with a person that wait for a review."""

    can_review = fields.Boolean(required=True, metadata={"example": True})
    reason = fields.String(required=True, allow_none=True, metadata={"example": None})
    reviewable_transactions = fields.List(fields.Nested(ReviewableSchema), required=True)


class FullProfileSchema(Schema):
    """Everything a profile page shows, the newest hundred of each."""

    profile = fields.Nested(UserSchema, required=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)
    listings = fields.List(fields.Nested(ListingSchema), required=True)
    offerings = fields.List(fields.Nested(OfferingSchema), required=True)
    created_tasks = fields.List(fields.Nested(TaskSchema), required=True)
    applications = fields.List(fields.Nested(MyApplicationSchema), required=True)
