"""Queues in and out."""

from marshmallow import INCLUDE, Schema, fields

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import PageQuery, page_of
from marketplace.core.queues.work_queue import STATES

TIME = "2026-01-31T10:00:00Z"


class QueueQuery(PageQuery):
    """All, or those in one state."""

    state = Choice(*STATES)


class QueueRowSchema(Schema):
    """What every queue's rows have; the rest of a row stands beside it."""

    class Meta:
        unknown = INCLUDE

    id = Int(required=True, example=1)
    state = Str(required=True, example="dead")
    attempts = Int(required=True, example=10)
    error = Str(required=True, allow_none=True, example="TryLater: 451 try again")
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    due_at = fields.DateTime(required=True, metadata={"example": TIME})
    done_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    dead_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})


def queue_page(name: str) -> type[Schema]:
    """The envelope of one queue's list."""
    counts = fields.Dict(required=True, metadata={"example": {"waiting": 3, "failed": 1, "dead": 1}})
    return page_of(QueueRowSchema, name, counts=counts)
