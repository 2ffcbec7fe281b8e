"""/api/saved-searches: what I look for again and again."""

from typing import Any

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.schemas import MessageSchema, created, written
from marketplace.search.saved_searches import service
from marketplace.search.schemas import (
    SavedSearchChangesSchema,
    SavedSearchesSchema,
    SavedSearchInputSchema,
    SavedSearchSchema,
)

bp = Blueprint(
    "saved_searches",
    __name__,
    url_prefix="/api/saved-searches",
    area="search",
    access=SIGNED_IN,
    description="What I look for again and again",
)


@bp.get("")
@bp.response(200, SavedSearchesSchema)
def list_saved_searches() -> Answer:
    """List my saved searches."""
    found = service.of(current_user())
    return {"saved_searches": found, "total": len(found)}


@bp.post("")
@bp.arguments(SavedSearchInputSchema)
@bp.response(201, created(SavedSearchSchema, "saved_search"))
def save_search(data: dict[str, Any]) -> Answer:
    """Save a search; unless `alerts` is false I hear of whatever new fits it."""
    search = service.view(service.add(current_user(), **data))
    return Created("saved_search", search, "/api/saved-searches", "Your search is saved.")


@bp.put("/<int:search_id>")
@bp.arguments(SavedSearchChangesSchema)
@bp.response(200, written(SavedSearchSchema, "saved_search"))
def edit_saved_search(data: dict[str, Any], search_id: int) -> Answer:
    """Change what is sent of a saved search."""
    search = service.view(service.change(current_user(), search_id, **data))
    return written_answer("saved_search", search, "Your search is changed.")


@bp.delete("/<int:search_id>")
@bp.response(200, MessageSchema)
def delete_saved_search(search_id: int) -> Answer:
    """Delete a saved search."""
    service.remove(current_user(), search_id)
    return {"message": "Your search is deleted."}
