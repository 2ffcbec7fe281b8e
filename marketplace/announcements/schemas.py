"""Announcements in and out."""

from marshmallow import Schema, fields

from marketplace.announcements.models import TARGETS, TYPES
from marketplace.core.http.fields import Choice, Int, Moment, Str
from marketplace.core.http.schemas import Input, PageQuery

TIME = "2026-01-31T10:00:00Z"


class AnnouncementsQuery(PageQuery):
    """Which announcements."""

    type = Choice(*TYPES, example="info")


class AllAnnouncementsQuery(AnnouncementsQuery):
    """Which, of all of them."""

    target = Choice(*TARGETS, example="all")


class AnnouncementSchema(Schema):
    """What the marketplace tells everybody, or some, from `starts_at` until `ends_at`."""

    id = Int(required=True, example=1)
    title = Str(required=True, example="A quiet Sunday")
    message = Str(required=True, example="On Sunday between two and four the marketplace rests.")
    type = Choice(*TYPES, required=True, example="maintenance")
    target = Choice(*TARGETS, required=True, example="all")
    starts_at = fields.DateTime(required=True, metadata={"example": TIME})
    ends_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class ToldAnnouncementSchema(AnnouncementSchema):
    """As staff see it: who said it, and when the last person was notified."""

    by_id = Int(required=True, example=1)
    told_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})


class AnnouncementInputSchema(Input):
    """What to say, to whom, from when (now, unless said) until when (until it is deleted, unless said)."""

    title = Str(required=True, shortest=1, longest=200, example="A quiet Sunday")
    message = Str(
        required=True, shortest=1, longest=5000, example="On Sunday between two and four the marketplace rests."
    )
    type = Choice(*TYPES, load_default="info", example="maintenance")
    target = Choice(*TARGETS, load_default="all", example="all")
    starts_at = Moment()
    ends_at = Moment(allow_none=True, example="2030-06-02T12:00:00Z")


class AnnouncementEditSchema(Input):
    """What to change; what is left out stays."""

    title = Str(shortest=1, longest=200, example="A quiet Sunday")
    message = Str(shortest=1, longest=5000, example="On Sunday between two and four the marketplace rests.")
    type = Choice(*TYPES, example="maintenance")
    target = Choice(*TARGETS, example="all")
    starts_at = Moment()
    ends_at = Moment(allow_none=True, example="2030-06-02T12:00:00Z")
