"""/api/admin/queues: what waits for work."""

from typing import Any

from marketplace.back_office import queues
from marketplace.back_office.schemas import QueueQuery, QueueRowSchema, queue_page
from marketplace.core.http.access import allowed_to
from marketplace.core.http.blueprint import Answer, Blueprint, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import written

QUEUES = allowed_to(May.RUN_QUEUES)
bp = Blueprint("admin", __name__, url_prefix="/api/admin", access=QUEUES, description="Queues, for administrators")


@bp.get("/queues/outbox")
@bp.arguments(queues.LISTS["outbox"].arguments(QueueQuery), location="query")
@bp.response(200, queue_page("outbox"))
def list_outbox(query: dict[str, Any]) -> Answer:
    """List facts and how far their telling got."""
    return queues.browse("outbox", **query)


@bp.get("/queues/jobs")
@bp.arguments(queues.LISTS["jobs"].arguments(QueueQuery), location="query")
@bp.response(200, queue_page("jobs"))
def list_jobs(query: dict[str, Any]) -> Answer:
    """List jobs, periodic ones too, and how they went."""
    return queues.browse("jobs", **query)


@bp.get("/queues/deliveries")
@bp.arguments(queues.LISTS["deliveries"].arguments(QueueQuery), location="query")
@bp.response(200, queue_page("deliveries"))
def list_deliveries(query: dict[str, Any]) -> Answer:
    """List mails, pushes and SMS on their way, with their attempts."""
    return queues.browse("deliveries", **query)


@bp.get("/queues/provider-calls")
@bp.arguments(queues.LISTS["provider_calls"].arguments(QueueQuery), location="query")
@bp.response(200, queue_page("provider_calls"))
def list_provider_calls(query: dict[str, Any]) -> Answer:
    """List what the payment provider was or is to be asked to do."""
    return queues.browse("provider_calls", **query)


@bp.get("/queues/provider-events")
@bp.arguments(queues.LISTS["provider_events"].arguments(QueueQuery), location="query")
@bp.response(200, queue_page("provider_events"))
def list_provider_events(query: dict[str, Any]) -> Answer:
    """List the webhooks that payment providers sent."""
    return queues.browse("provider_events", **query)


@bp.post("/queues/<any(outbox, jobs, deliveries, provider_calls, provider_events):queue>/<int:row_id>/again")
@bp.response(200, written(QueueRowSchema, "row"))
def retry_queue_row(queue: str, row_id: int) -> Answer:
    """Try once more what was given up."""
    return written_answer("row", queues.again(queue, row_id), "It will be tried again.")
