"""Mark and unmark."""

from sqlalchemy import delete

from marketplace.auth.models import User
from marketplace.core.database.db import execute, save
from marketplace.favorites import queries
from marketplace.favorites.models import Favorite
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject


def toggle(user: User, *, item_type: str, item_id: int) -> JsonObject:
    """Take the mark off where there is one, else put one on; raises NotFound."""
    if _remove(user, item_type, item_id):
        return {"is_favorited": False, "message": "Removed from your favorites.", "favorite": None}
    queries.require_visible(user, item_type, item_id)
    favorite = save(Favorite(user_id=user.id, item_type=item_type, item_id=item_id))
    return {"is_favorited": True, "message": "Added to your favorites.", "favorite": queries.view(favorite)}


def remove(user: User, favorite_id: int) -> None:
    """Take one mark off; raises NotFound."""
    favorite = queries.find(user, favorite_id)
    _remove(user, favorite.item_type, favorite.item_id)


def remove_item(user: User, item_type: str, item_id: int) -> None:
    """Take the mark off a thing; raises NotFound where there is none."""
    if not _remove(user, item_type, item_id):
        raise NotFound.of("favorite")


def forget_item(item_type: str, item_id: int) -> None:
    """A thing is gone: nobody keeps an eye on it any more."""
    execute(delete(Favorite).where(Favorite.item_type == item_type, Favorite.item_id == item_id))


def _remove(user: User, item_type: str, item_id: int) -> int:
    mine = (Favorite.user_id == user.id, Favorite.item_type == item_type, Favorite.item_id == item_id)
    return execute(delete(Favorite).where(*mine))
