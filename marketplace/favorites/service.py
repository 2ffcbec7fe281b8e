"""Mark and unmark things."""

from sqlalchemy import delete

from marketplace.auth.models import User
from marketplace.core.database.db import execute, save
from marketplace.favorites import queries
from marketplace.favorites.models import Favorite
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject


def toggle(user: User, *, item_type: str, item_id: int) -> JsonObject:
    """Remove the favorite where there is one, else add it; raises NotFound."""
    if _remove(user, item_type, item_id):
        return {"is_favorited": False, "message": "Removed from your favorites.", "favorite": None}
    queries.require_visible(user, item_type, item_id)
    favorite = save(Favorite(user_id=user.id, item_type=item_type, item_id=item_id))
    return {"is_favorited": True, "message": "Added to your favorites.", "favorite": queries.view(favorite)}


def remove(user: User, favorite_id: int) -> None:
    """Remove a favorite by its id; raises NotFound."""
    favorite = queries.find(user, favorite_id)
    _remove(user, favorite.item_type, favorite.item_id)


def remove_item(user: User, item_type: str, item_id: int) -> None:
    """Remove the favorite on a thing; raises NotFound where there is none."""
    if not _remove(user, item_type, item_id):
        raise NotFound.of("favorite")


def forget_item(item_type: str, item_id: int) -> None:
    """Delete everybody's favorites on a thing that was deleted."""
    execute(delete(Favorite).where(Favorite.item_type == item_type, Favorite.item_id == item_id))


def _remove(user: User, item_type: str, item_id: int) -> int:
    mine = (Favorite.user_id == user.id, Favorite.item_type == item_type, Favorite.item_id == item_id)
    return execute(delete(Favorite).where(*mine))
