"""/api/admin/announcements: telling everybody, or some."""

from typing import Any

from marketplace.announcements import queries, service
from marketplace.announcements.schemas import (
    AllAnnouncementsQuery,
    AnnouncementEditSchema,
    AnnouncementInputSchema,
    ToldAnnouncementSchema,
)
from marketplace.core.http.access import allowed_to, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import MessageSchema, created, page_of, written

bp = Blueprint(
    "admin_announcements",
    __name__,
    url_prefix="/api/admin/announcements",
    access=allowed_to(May.ANNOUNCE),
    description="Announcements, for staff",
    follows="announcements",
)


@bp.get("")
@bp.arguments(queries.LISTED.arguments(AllAnnouncementsQuery), location="query")
@bp.response(200, page_of(ToldAnnouncementSchema, "announcements", "AllAnnouncementsPage"))
def list_all_announcements(query: dict[str, Any]) -> Answer:
    """List all announcements, past ones and those to come too."""
    return queries.browse(**query)


@bp.post("")
@bp.arguments(AnnouncementInputSchema)
@bp.response(201, created(ToldAnnouncementSchema, "announcement"))
def create_announcement(data: dict[str, Any]) -> Answer:
    """Announce something; people it is for are notified once it is in force."""
    made = service.announce(current_user(), **data)
    path = f"/api/admin/announcements/{made.id}"
    return Created("announcement", queries.told_view(made), path, "It is announced.")


@bp.put("/<int:announcement_id>")
@bp.arguments(AnnouncementEditSchema)
@bp.response(200, written(ToldAnnouncementSchema, "announcement"))
def edit_announcement(data: dict[str, Any], announcement_id: int) -> Answer:
    """Change what is said, to whom or when; who was notified is not notified again."""
    found = service.edit(announcement_id, **data)
    return written_answer("announcement", queries.told_view(found), "It is changed.")


@bp.delete("/<int:announcement_id>")
@bp.response(200, MessageSchema)
def delete_announcement(announcement_id: int) -> Answer:
    """Take an announcement back."""
    service.delete(announcement_id)
    return {"message": "It is announced no more."}
