"""Reports in and out."""

from typing import ClassVar

from marshmallow import Schema, fields

from marketplace.core.http.fields import Choice, ChoiceOf, Int, Str
from marketplace.core.http.schemas import Input, PageQuery
from marketplace.reports.lifecycle import ReportStatus
from marketplace.reports.models import ACTIONS, WARN
from marketplace.reports.policy import reportable

TIME = "2026-01-31T10:00:00Z"
ALL = "all"


class ReportInputSchema(Input):
    """What, and what is wrong with it."""

    type = ChoiceOf(reportable, example="task", required=True)
    target_id = Int(required=True, least=1, example=7)
    reason = Str(required=True, shortest=1, longest=100, example="spam")
    description = Str(longest=5000, example="The same text stands there ten times.")


class ReportsQuery(PageQuery):
    """In one state or all."""

    status = Choice(*ReportStatus, ALL)
    type = ChoiceOf(reportable, example="task")
    reported_id = Int(example=2)


class ReportActionSchema(Input):
    """What is done about it, and what the person is told."""

    input_aliases: ClassVar[dict[str, str]] = {"notes": "note"}
    action = Choice(*ACTIONS, required=True, example=WARN)
    note = Str(longest=500, example="Say what you offer once.")


class ReportSchema(Schema):
    """A report as staff see it."""

    id = Int(required=True, example=1)
    type = ChoiceOf(reportable, example="task", required=True)
    target_id = Int(required=True, example=7)
    reason = Str(required=True, example="spam")
    description = Str(required=True, longest=5000, example="The same text stands there ten times.")
    status = Choice(*ReportStatus, required=True)
    reporter_id = Int(required=True, example=1)
    reporter_name = Str(required=True, example="Anna Kalniņa")
    reporter_username = Str(required=True, example="anna_k")
    reported_id = Int(required=True, example=2)
    reported_name = Str(required=True, example="Juris Bērziņš")
    reported_username = Str(required=True, example="juris")
    action = Choice(*ACTIONS, required=True, allow_none=True, example=None)
    note = Str(required=True, example="")
    resolved_by_id = Int(required=True, allow_none=True, example=None)
    resolved_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    updated_at = fields.DateTime(required=True, metadata={"example": TIME})


class ReportedSchema(Schema):
    """Thank you."""

    message = Str(required=True, example="Thank you. Staff will look at it.")
    id = Int(required=True, example=1)
