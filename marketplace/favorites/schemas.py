"""Favorites in and out."""

from itertools import cycle
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.fields import Field

from marketplace.core.http.fields import MAX_ID, ChoiceOf, Int, Str
from marketplace.core.http.schemas import Input, PageQuery, Query
from marketplace.favorites.policy import markable

MOST_CHECKED = 200
SOME = (1, 0, 2)


class FavoritesQuery(PageQuery):
    """One kind or all."""

    type = ChoiceOf(markable, example="task")


class FavoriteInputSchema(Input):
    """Which thing."""

    item_type = ChoiceOf(markable, example="task", required=True)
    item_id = Int(required=True, example=1)


class Items(fields.String):
    """`task:1,listing:3` as pairs."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        pairs = [_pair(part.strip()) for part in text.split(",") if part.strip()]
        if len(pairs) > MOST_CHECKED:
            raise ValidationError(f"At most {MOST_CHECKED} at once.")
        return pairs


class CheckQuery(Query):
    """Which things to check."""

    items = Items(load_default=list, metadata={"example": "task:1,listing:3"})


class FavoriteSchema(Schema):
    """One mark."""

    id = Int(required=True, example=1)
    favorite_id = Int(required=True, example=1)
    favorited_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    item_type = Str(required=True, example="listing")
    item_id = Int(required=True, example=3)


class FavoriteItemSchema(FavoriteSchema):
    """One mark with the thing as its own slice shows it; null when it can no longer be seen."""

    item = fields.Dict(required=True, allow_none=True, metadata={"example": {"id": 3, "title": "City bicycle"}})


class ToggledSchema(Schema):
    """What the toggle did."""

    is_favorited = fields.Boolean(required=True, metadata={"example": True})
    message = fields.String(required=True, metadata={"example": "Added to your favorites."})
    favorite = fields.Nested(FavoriteSchema, required=True, allow_none=True)


class CheckedSchema(Schema):
    """Yes or no for each."""

    favorites = fields.Dict(required=True, metadata={"example": {"task:1": True, "listing:3": False}})


class FavoriteCountsSchema(Schema):
    """How many of each kind."""

    total = Int(required=True, example=3)

    @property
    def fields(self) -> dict[str, Field[Any]]:
        """The document asks when every slice is there."""
        kinds = {f"{kind}s": Int(required=True, example=some) for kind, some in zip(markable(), cycle(SOME))}
        return {**self._declared, **kinds}

    @fields.setter
    def fields(self, declared: dict[str, Field[Any]]) -> None:
        self._declared = declared


def _pair(part: str) -> tuple[str, int]:
    kind, _, number = part.partition(":")
    kinds = markable()
    if kind not in kinds or not (number.isascii() and number.isdigit()) or int(number[:20]) > MAX_ID:
        raise ValidationError(f"Each item is a kind ({', '.join(kinds)}), a colon and an id, such as task:1.")
    return kind, int(number)
