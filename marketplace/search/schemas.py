"""Searches in and out."""

from typing import Any

from marshmallow import Schema, ValidationError, fields

from marketplace.core.http.fields import ChoiceOf, Int, Num, Str, latitude, longitude
from marketplace.core.http.schemas import Input, Near, Query, several_categories
from marketplace.search.policy import awaited, searchable

TIME = "2026-01-31T10:00:00Z"


class Types(fields.String):
    """`listing,task` as a list."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        wanted = [part.strip() for part in text.split(",") if part.strip()]
        kinds = searchable()
        if not wanted or any(part not in kinds for part in wanted):
            raise ValidationError(f"One or more of: {', '.join(kinds)}.")
        return list(dict.fromkeys(wanted))


class SearchQuery(Near):
    """What is looked for, where, and in what."""

    q = Str(required=True, shortest=1, longest=500, example='"city bicycle" -child')
    type = Types(
        load_default=lambda: list(searchable()),
        data_key="type",
        attribute="types",
        metadata={"example": "listing,task"},
    )
    category = Str(longest=100, example="bicycles")
    radius = Num(least=0, most=20_100, load_default=50.0, example=10, metadata={"description": "km"})
    explain = fields.Boolean(load_default=False, metadata={"example": False})


class PieceSchema(Schema):
    """A piece of text; `hit` where it is what was looked for."""

    text = Str(required=True, longest=20_000, example="bicycle")
    hit = fields.Boolean(required=True, metadata={"example": True})


class ResultSchema(Schema):
    """One find: `item` is the thing as its own list shows it; `why` the parts of its score, where asked for."""

    type = ChoiceOf(searchable, example="listing", required=True)
    id = Int(required=True, example=3)
    title = Str(required=True, example="City bicycle")
    snippet = fields.List(fields.Nested(PieceSchema), required=True)
    distance = Num(least=0, most=20_100, required=True, allow_none=True, example=1.24)
    score = Num(least=0, most=2, required=True, example=0.83)
    item = fields.Dict(required=True, metadata={"example": {"id": 3, "title": "City bicycle"}})
    why = fields.Dict(metadata={"example": {"text": 0.9, "near": 0.4, "rated": 0.8, "fresh": 1.0}})


class SuggestQuery(Query):
    """What has been typed so far."""

    q = Str(required=True, longest=200, trim=False, example="bic")


class SuggestionSchema(Schema):
    """A word to go on with, or the title of a thing with its id."""

    text = Str(required=True, example="bicycle")
    type = ChoiceOf(lambda: ("word", *searchable()), example="word", required=True)
    id = Int(required=True, allow_none=True, example=None)


class SuggestionsSchema(Schema):
    """The likeliest first."""

    suggestions = fields.List(fields.Nested(SuggestionSchema), required=True)


class FacetsQuery(Query):
    """Of what, and narrowed by what."""

    type = ChoiceOf(searchable, example="listing", load_default="listing")
    q = Str(longest=500, example="bicycle")
    category = Str(longest=100, example="bicycles")


class CategoryCountSchema(Schema):
    """A category and how many there are."""

    key = Str(required=True, example="bicycles")
    name = Str(required=True, example="Bicycles")
    count = Int(required=True, example=12)


class AmountsSchema(Schema):
    """The lowest and highest amount in one currency."""

    currency = Str(required=True, example="EUR")
    least = Num(least=0, most=1e15, required=True, example=5.0)
    most = Num(least=0, most=1e15, required=True, example=900.0)
    count = Int(required=True, example=12)


class FacetsSchema(Schema):
    """How they divide; `values` has a list of {value, count} for each further filter of the kind."""

    type = ChoiceOf(searchable, example="listing", required=True)
    total = Int(required=True, example=12)
    categories = fields.List(fields.Nested(CategoryCountSchema), required=True)
    amounts = fields.List(fields.Nested(AmountsSchema), required=True)
    values = fields.Dict(required=True, metadata={"example": {"condition": [{"value": "good", "count": 7}]}})


class SavedSearchChangesSchema(Input):
    """Only what is sent is changed."""

    name = Str(shortest=1, longest=100, example="Bicycles near me")
    q = Str(longest=500, example="city bicycle")
    types = fields.List(ChoiceOf(awaited, example="listing"), metadata={"example": ["listing"]})
    category = several_categories("bicycles", allow_none=True)
    latitude = latitude(allow_none=True)
    longitude = longitude(allow_none=True)
    radius = Num(least=0, most=20_100, example=10, allow_none=True, metadata={"description": "km"})
    alerts = fields.Boolean(metadata={"example": True})


class SavedSearchInputSchema(SavedSearchChangesSchema):
    """A new one: words, a category or a place, or all of them."""

    name = Str(required=True, shortest=1, longest=100, example="Bicycles near me")


class SavedSearchSchema(Schema):
    """What is looked for, where, and whether I hear of what is new."""

    id = Int(required=True, example=1)
    name = Str(required=True, example="Bicycles near me")
    q = Str(required=True, example="city bicycle")
    types = fields.List(ChoiceOf(awaited, example="listing"), required=True, metadata={"example": ["listing"]})
    category = Str(required=True, allow_none=True, example="bicycles")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    radius = Num(least=0, most=20_100, required=True, allow_none=True, example=10.0)
    alerts = fields.Boolean(required=True, metadata={"example": True})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    updated_at = fields.DateTime(required=True, metadata={"example": TIME})


class SavedSearchesSchema(Schema):
    """All of mine."""

    saved_searches = fields.List(fields.Nested(SavedSearchSchema), required=True)
    total = Int(required=True, example=1)
