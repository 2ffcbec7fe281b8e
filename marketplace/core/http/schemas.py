"""Bases of what comes in and the envelopes of what goes out."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from marketplace.core.http.fields import Choice, Int, Num, Str, latitude, longitude
from marketplace.kit.money import CURRENCIES

PLACE = {"latitude", "longitude"}
SHORT_NAMES = {
    **{"lat": "latitude", "lng": "longitude", "location_lat": "latitude", "location_lng": "longitude"},
    "location_address": "location",
}


class Input(Schema):
    """Unknown fields are ignored and never stored; empty optional values count as not sent. `input_aliases` are further
    names that clients send fields under; the field's own name counts before them."""

    input_aliases: ClassVar[dict[str, str]] = {}

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def tidy(self, data: Any, **_: Any) -> object:
        """Accept lat/lng and the aliases, and "" where a form left a number or a date empty."""
        if not isinstance(data, Mapping):
            return data
        tidied = {key: data[key] for key in data}
        for alias, name in (*SHORT_NAMES.items(), *self.input_aliases.items()):
            if alias in tidied and alias not in self.fields and name in self.fields:
                tidied.setdefault(name, tidied[alias])
        return {key: value for key, value in tidied.items() if not self._is_left_empty(key, value)}

    def _is_left_empty(self, key: str, value: Any) -> bool:
        field = self.fields.get(key)
        if field is None or field.required:
            return False
        return value is None or (value == "" and (type(field) is not Str or self.is_query))

    @validates_schema
    def whole_place(self, data: dict[str, Any], **_: Any) -> None:
        """One coordinate alone is no place; left unsaid, it would be answered as if none had been sent."""
        sent = [name for name in PLACE if data.get(name) is not None]
        if len(sent) == 1 and self.fields.keys() >= PLACE:
            missing = next(iter(PLACE - {sent[0]}))
            raise ValidationError("Send latitude and longitude together.", missing)

    is_query = False


class Query(Input):
    """Parameters of a GET."""

    is_query = True

    @validates_schema
    def bounds_in_order(self, data: dict[str, Any], **_: Any) -> None:
        """Nothing lies between a least and a smaller most: that is a slip, not a wish for an empty list."""
        pairs = {name: f"max_{name.removeprefix('min_')}" for name in self.fields if name.startswith("min_")}
        pairs |= {name: f"{name.removesuffix('_min')}_max" for name in self.fields if name.endswith("_min")}
        for least, most in pairs.items():
            if data.get(least) is not None and data.get(most) is not None and data[least] > data[most]:
                raise ValidationError(f"At least {least}, which is {data[least]:,}.", most)


class PageQuery(Query):
    """How every list is paged."""

    page = Int(least=1, most=10**9, load_default=1, example=1)
    per_page = Int(least=1, load_default=20, example=20, metadata={"description": "100 at most; more is taken as 100"})
    cursor = Str(
        longest=2000, example="", metadata={"description": "Pages by key; start with `start`, then next_cursor"}
    )


class Near(PageQuery):
    """A list that can be asked by position."""

    latitude = latitude()
    longitude = longitude()
    radius = Num(least=0, most=20_100, example=10, metadata={"description": "km"})

    @validates_schema(pass_original=True)
    def radius_around_a_place(self, data: dict[str, Any], sent: Mapping[str, Any], **_: Any) -> None:
        """A circle without its middle would narrow nothing."""
        if "radius" in sent and sent["radius"] != "" and data.get("latitude") is None:
            raise ValidationError("Send latitude and longitude with a radius.", "radius")


class NearEnough(Near):
    """A list whose circle is widened until it holds enough."""

    min_results = Int(
        least=1, most=100, example=5, metadata={"description": "With a position: widen the circle where it holds fewer"}
    )


def widened() -> dict[str, Num | fields.Boolean]:
    """What a page says beside its items where `min_results` was asked for."""
    return {
        "effective_radius": Num(least=0, most=20_100, example=25.0, metadata={"description": "km"}),
        "radius_expanded": fields.Boolean(metadata={"example": True}),
    }


def several_categories(example: str, *, allow_none: bool = False) -> Str:
    """One category's key, or several."""
    told = {"description": "One or several with commas between them: any of them"}
    return Str(longest=2000, example=example, metadata=told, allow_none=allow_none)


class Currency(Choice):
    """ISO 4217."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(*sorted(CURRENCIES), example="EUR", **kwargs)


class ProblemSchema(Schema):
    """RFC 9457, plus `error`: one plain sentence for a person."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True, metadata={"example": "Invalid fields"})
    status = fields.Integer(required=True, metadata={"example": 422})
    detail = fields.String(required=True, metadata={"example": "Some fields are not right."})
    instance = fields.String(required=True, metadata={"example": "urn:request:4f2c9a7e1b3d4c5e"})
    error = fields.String(required=True, metadata={"example": "price: Between 0 and 1,000,000,000,000."})
    code = fields.String(required=True, metadata={"example": "invalid"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"example": {"price": ["Between 0 and 1,000,000,000,000."]}},
    )


class MessageSchema(Schema):
    """A write that leaves nothing to show."""

    documented_as = "Confirmation"  # in the document `Message` is one of a conversation
    message = fields.String(required=True, metadata={"example": "Done."})


@cache
def page_of(schema: type[Schema], name: str, titled: str | None = None, **extra: fields.Field[Any]) -> type[Schema]:
    """The envelope of a list: `total` and `pages` are absent when paging by cursor."""
    return Schema.from_dict(
        {
            name: fields.List(fields.Nested(schema), required=True),
            "total": Int(example=1, metadata={"description": "Counted up to 10,000"}),
            "total_is_exact": fields.Boolean(metadata={"example": True}),
            "page": Int(example=1),
            "per_page": Int(example=20, required=True),
            "pages": Int(example=1),
            "has_more": fields.Boolean(required=True, metadata={"example": False}),
            "next_cursor": fields.String(allow_none=True, metadata={"example": None}),
            **extra,
        },
        name=titled or f"{name.title().replace('_', '')}Page",
    )


@cache
def written(schema: type[Schema], name: str, titled: str | None = None, **beside: type[Schema]) -> type[Schema]:
    """The envelope of a write; `beside` names further things it changed."""
    return Schema.from_dict(
        {
            "message": fields.String(required=True, metadata={"example": "Saved."}),
            name: fields.Nested(schema, required=True),
            **{other: fields.Nested(kind, required=True) for other, kind in beside.items()},
        },
        name=titled or f"{schema.__name__.removesuffix('Schema')}Written",
    )


@cache
def created(schema: type[Schema], name: str, **beside: fields.Field[Any]) -> type[Schema]:
    """The envelope of a creation: the new thing's id stands beside the message."""
    return Schema.from_dict(
        {
            "message": fields.String(required=True, metadata={"example": "Created."}),
            "id": Int(required=True, example=1),
            name: fields.Nested(schema, required=True),
            **beside,
        },
        name=f"{schema.__name__.removesuffix('Schema')}Created",
    )


def available_actions(*example: str, of: Iterable[str]) -> fields.Field[Any]:
    """What the person who asks can do now, of all that people can do with such a thing (empty when anonymous)."""
    action = fields.String(validate=validate.OneOf(sorted(of)))
    return fields.List(action, required=True, metadata={"example": list(example)})
