"""Helpers in and out."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Int, Num, Str, latitude, longitude
from marketplace.core.http.schemas import NearEnough, several_categories


class HelpersQuery(NearEnough):
    """How the list of helpers is narrowed."""

    radius = Num(least=0, most=20_100, load_default=50.0, example=10, metadata={"description": "km"})
    category = several_categories("repair")


class HelperSchema(Schema):
    """Somebody who helps; `distance` (km) only where asked by position."""

    id = Int(required=True, example=2)
    name = Str(required=True, example="Juris Bērziņš")
    avatar = Str(required=True, example="https://example.com/juris.jpg")
    bio = Str(required=True, longest=5000, example="I move things.")
    city = Str(required=True, example="Rīga")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    rating = Num(least=0, most=5, required=True, example=4.9)
    review_count = Int(required=True, example=12)
    completed_tasks = Int(required=True, example=14)
    skills = fields.List(fields.String(), required=True, metadata={"example": ["van"]})
    categories = fields.List(fields.String(), required=True, metadata={"example": ["moving"]})
    hourly_rate = Num(least=0, most=1e12, required=True, allow_none=True, example=18.0)
    price_minor = Int(required=True, allow_none=True, example=1800)
    currency = Str(required=True, example="EUR")
    is_available = fields.Boolean(required=True, metadata={"example": True})
    member_since = fields.DateTime(required=True, metadata={"example": "2025-01-31T10:00:00Z"})
    distance = Num(least=0, most=20_100, example=2.1)
