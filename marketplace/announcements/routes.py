"""/api/announcements: what the marketplace tells everybody."""

from typing import Any

from marketplace.announcements import queries
from marketplace.announcements.schemas import AnnouncementSchema, AnnouncementsQuery
from marketplace.core.http.access import ANYONE, viewer
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.schemas import page_of

bp = Blueprint("announcements", __name__, url_prefix="/api/announcements", description="News of the marketplace")


@bp.get("", access=ANYONE)
@bp.arguments(queries.LISTED.arguments(AnnouncementsQuery), location="query")
@bp.response(200, page_of(AnnouncementSchema, "announcements"))
def list_announcements(query: dict[str, Any]) -> Answer:
    """List what is announced now to whoever asks, the latest first."""
    return queries.in_force(viewer(), **query)
