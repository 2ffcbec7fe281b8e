"""/api/favorites."""

from typing import Any

from flask import Flask
from werkzeug.routing import AnyConverter, Map

from marketplace.core.http.access import SIGNED_IN, current_user
from marketplace.core.http.blueprint import Answer, Blueprint
from marketplace.core.http.schemas import MessageSchema, page_of
from marketplace.favorites import queries, service
from marketplace.favorites.policy import markable
from marketplace.favorites.schemas import (
    CheckedSchema,
    CheckQuery,
    FavoriteCountsSchema,
    FavoriteInputSchema,
    FavoriteItemSchema,
    FavoritesQuery,
    ToggledSchema,
)

bp = Blueprint(
    "favorites",
    __name__,
    url_prefix="/api/favorites",
    area="favorites",
    access=SIGNED_IN,
    description="What I keep an eye on",
)


class MarkableConverter(AnyConverter):
    """URL converter: a kind that can be marked."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, *markable())


def init_app(app: Flask) -> None:
    """Know the kinds before the routes are plugged in."""
    app.url_map.converters["markable"] = MarkableConverter


@bp.get("")
@bp.arguments(queries.FAVORITES_LIST.arguments(FavoritesQuery), location="query")
@bp.response(200, page_of(FavoriteItemSchema, "favorites"))
def list_favorites(query: dict[str, Any]) -> Answer:
    """List my favorites with what they mark."""
    return queries.of(current_user(), **query)


@bp.post("")
@bp.arguments(FavoriteInputSchema)
@bp.response(200, ToggledSchema)
def toggle_favorite(data: dict[str, Any]) -> Answer:
    """Mark a thing, or take my mark off it."""
    return service.toggle(current_user(), **data)


@bp.get("/check")
@bp.arguments(CheckQuery, location="query")
@bp.response(200, CheckedSchema)
def check_favorites(query: dict[str, Any]) -> Answer:
    """Say which of these things I have marked."""
    return {"favorites": queries.check(current_user(), query["items"])}


@bp.get("/count")
@bp.response(200, FavoriteCountsSchema)
def count_favorites() -> Answer:
    """Count my favorites by kind."""
    return queries.counts(current_user())


@bp.delete("/<int:favorite_id>")
@bp.response(200, MessageSchema)
def remove_favorite(favorite_id: int) -> Answer:
    """Take one mark off."""
    service.remove(current_user(), favorite_id)
    return {"message": "Removed from your favorites."}


@bp.delete("/item/<markable:item_type>/<int:item_id>")
@bp.response(200, MessageSchema)
def remove_favorite_item(item_type: str, item_id: int) -> Answer:
    """Take my mark off a thing."""
    service.remove_item(current_user(), item_type, item_id)
    return {"message": "Removed from your favorites."}
