"""/api/jobs: how far a long job of mine is."""

from flask import Response
from marshmallow import Schema, fields

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Blueprint
from marketplace.core.http.fields import Int
from marketplace.core.queues import jobs
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject

bp = Blueprint("jobs", __name__, url_prefix="/api/jobs", access=SIGNED_IN, description="Work that takes a while")


class JobSchema(Schema):
    """How far it is; `error` says in one sentence that it failed."""

    id = Int(required=True, example=1)
    name = fields.String(required=True, metadata={"example": "export_account"})
    status = fields.String(
        required=True, metadata={"example": "running", "enum": ["waiting", "running", "done", "failed"]}
    )
    done = Int(required=True, example=120)
    total = Int(required=True, example=400)
    result_url = fields.String(required=True, allow_none=True, metadata={"example": None})
    error = fields.String(required=True, allow_none=True, metadata={"example": None})
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


@bp.get("/<int:job_id>")
@bp.response(200, JobSchema)
def show_job(job_id: int) -> JsonObject | Response:
    """Say how far one of my jobs is."""
    row = jobs.find_for(current_user().id, job_id)
    if row is None:
        raise NotFound.of("job")
    return jobs.view(row)
