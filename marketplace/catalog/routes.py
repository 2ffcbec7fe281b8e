"""/api/categories: read by everybody, managed by admins."""

from typing import Any

from marketplace.catalog import queries, service
from marketplace.catalog.schemas import (
    CategoryChangesSchema,
    CategoryInputSchema,
    CategoryQuery,
    CategorySchema,
    CategoryTreeSchema,
)
from marketplace.core.http.access import ANYONE, allowed_to
from marketplace.core.http.blueprint import Answer, Blueprint, Created, written_answer
from marketplace.core.http.permissions import May
from marketplace.core.http.schemas import MessageSchema, created, written

CATALOG = allowed_to(May.EDIT_CATALOG)
bp = Blueprint("categories", __name__, url_prefix="/api/categories", area="catalog", description="The category tree")


@bp.get("", access=ANYONE)
@bp.arguments(CategoryQuery, location="query")
@bp.response(200, CategoryTreeSchema)
def list_categories(query: dict[str, Any]) -> Answer:
    """Show the tree, or the part for one kind of thing."""
    nodes = queries.tree().nested(query.get("kind"))
    return {"categories": nodes, "total": len(nodes)}


@bp.post("", access=CATALOG)
@bp.arguments(CategoryInputSchema)
@bp.response(201, created(CategorySchema, "category"))
def add_category(data: dict[str, Any]) -> Answer:
    """Add a category."""
    category = service.add(**data)
    return Created("category", queries.view(category), "/api/categories", "The category is added.")


@bp.get("/<int:category_id>", access=ANYONE)
@bp.response(200, CategorySchema)
def show_category(category_id: int) -> Answer:
    """Show one category."""
    return queries.view(service.find(category_id))


@bp.put("/<int:category_id>", access=CATALOG)
@bp.arguments(CategoryChangesSchema)
@bp.response(200, written(CategorySchema, "category"))
def change_category(data: dict[str, Any], category_id: int) -> Answer:
    """Rename, move or reorder a category."""
    category = service.change(category_id, **data)
    return written_answer("category", queries.view(category), "The category is saved.")


@bp.delete("/<int:category_id>", access=CATALOG)
@bp.response(200, MessageSchema)
def remove_category(category_id: int) -> Answer:
    """Take out a category nothing uses."""
    service.remove(category_id)
    return {"message": "The category is removed."}
