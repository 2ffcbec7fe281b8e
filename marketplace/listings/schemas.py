"""Listings in and out."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Amount, Choice, Int, Links, Moment, Num, Str, Words, latitude, longitude
from marketplace.core.http.schemas import Currency, Input, Near, PageQuery, available_actions, several_categories
from marketplace.listings.lifecycle import LISTING_LIFECYCLE, LIVING
from marketplace.listings.models import CONDITIONS, LISTING_TYPES


class ListingsQuery(Near):
    """How the browse list is narrowed."""

    radius = Num(least=0, most=20_100, load_default=50.0, example=10, metadata={"description": "km"})
    category = several_categories("bicycles")
    subcategory = Str(longest=60, example="city")
    status = Choice(*LIVING, load_default="active")
    search = Str(longest=500, example="", metadata={"description": "The same as q"})
    min_price = Amount(example=10)
    max_price = Amount(example=500)
    condition = Choice(*CONDITIONS)
    listing_type = Choice(*LISTING_TYPES)
    location = Str(longest=300, example="Rīga")
    seller_id = Int(example=1)
    featured = fields.Boolean(metadata={"example": False, "description": "true: only featured ones"})


class MyListingsQuery(PageQuery):
    """One's own, in one state or all."""

    status = Choice(*LIVING)


class ListingChangesSchema(Input):
    """Only what is sent is changed; `status` moves along the lifecycle."""

    title = Str(shortest=1, longest=200, example="City bicycle, 7 gears")
    description = Str(shortest=1, longest=20_000, example="Ridden for two summers, new tyres.")
    price = Amount(example=120)
    category = Str(shortest=1, longest=100, example="bicycles")
    subcategory = Str(longest=60, example="city")
    condition = Choice(*CONDITIONS, example="good")
    currency = Currency()
    location = Str(longest=300, example="Āgenskalns, Rīga")
    latitude = latitude()
    longitude = longitude()
    images = Links()
    contact_info = Str(longest=500, example="Write here first, please.")
    tags = Words(example="bike, summer")
    listing_type = Choice(*LISTING_TYPES)
    is_negotiable = fields.Boolean(metadata={"example": True})
    expires_at = Moment()
    status = Choice(*LIVING)


class ListingInputSchema(ListingChangesSchema):
    """A new classified."""

    class Meta(ListingChangesSchema.Meta):
        exclude = ("status",)

    title = Str(required=True, shortest=1, longest=200, example="City bicycle, 7 gears")
    description = Str(required=True, shortest=1, longest=20_000, example="Ridden for two summers, new tyres.")
    price = Amount(required=True, example=120)
    category = Str(required=True, shortest=1, longest=100, example="bicycles")


class RenewalSchema(Input):
    """For how long from now; as long as a new one (LISTING_DAYS) unless told."""

    days = Int(least=1, most=365, example=30)


class SellerInfoSchema(Schema):
    """The seller beside the listing."""

    id = Int(required=True, example=1)
    username = Str(required=True, example="anna_k")
    first_name = Str(required=True, example="Anna")
    last_name = Str(required=True, example="Kalniņa")
    avatar_url = Str(required=True, example="https://example.com/me.jpg")
    city = Str(required=True, example="Rīga")
    country = Str(required=True, example="Latvia")
    is_verified = fields.Boolean(required=True, metadata={"example": True})
    average_rating = Num(least=0, most=5, required=True, example=4.8)
    reviews_count = Int(required=True, example=21)
    completion_rate = Num(least=0, most=100, required=True, example=95.0)
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})


class ListingSchema(Schema):
    """A classified; `distance` (km) only where asked by position."""

    id = Int(required=True, example=1)
    title = Str(required=True, example="City bicycle, 7 gears")
    description = Str(required=True, longest=20_000, example="Ridden for two summers, new tyres.")
    category = Str(required=True, example="bicycles")
    subcategory = Str(required=True, allow_none=True, example="city")
    condition = Str(required=True, allow_none=True, example="good")
    price = Num(least=0, most=1e12, required=True, example=120.0)
    price_minor = Int(required=True, example=12000)
    currency = Str(required=True, example="EUR")
    location = Str(required=True, example="Āgenskalns, Rīga")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    seller_id = Int(required=True, example=1)
    user_id = Int(required=True, example=1)
    seller = Str(required=True, example="anna_k")
    image_urls = fields.List(fields.String(), required=True, metadata={"example": ["https://example.com/1.jpg"]})
    images = Str(required=True, longest=50_000, example="https://example.com/1.jpg")
    contact_info = Str(required=True, example="Write here first, please.")
    tags = fields.List(fields.String(), required=True, metadata={"example": ["bike"]})
    views_count = Int(required=True, example=7)
    listing_type = Str(required=True, example="sale")
    status = Str(required=True, example="active")
    is_featured = fields.Boolean(required=True, metadata={"example": False})
    is_negotiable = fields.Boolean(required=True, metadata={"example": True})
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    expires_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    available_actions = available_actions("edit", "delete", of=LISTING_LIFECYCLE.requests)
    distance = Num(least=0, most=20_100, example=1.42)


class ListingDetailSchema(ListingSchema):
    """A classified with its seller."""

    seller_info = fields.Nested(SellerInfoSchema, required=True)
