"""Offerings in and out."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Amount, Choice, Int, Links, Moment, Num, Str, latitude, longitude
from marketplace.core.http.schemas import Currency, Input, Near, PageQuery, available_actions, several_categories
from marketplace.offerings.lifecycle import LIVING, OFFERING_LIFECYCLE
from marketplace.offerings.models import PRICE_TYPES


class OfferingsQuery(Near):
    """How the list is narrowed."""

    radius = Num(least=0, most=20_100, load_default=25.0, example=10, metadata={"description": "km"})
    status = Choice(*LIVING, load_default="active")
    category = several_categories("repair")
    subcategory = Str(longest=60, example="bicycles")
    min_price = Amount(example=5)
    max_price = Amount(example=50)
    price_type = Choice(*PRICE_TYPES)


class MyOfferingsQuery(PageQuery):
    """One's own, in one state or all."""

    status = Choice(*LIVING)


class OfferingChangesSchema(Input):
    """Only what is sent is changed; `status` moves along the lifecycle."""

    title = Str(shortest=1, longest=200, example="Bicycle repair at your door")
    description = Str(shortest=1, longest=20_000, example="Brakes, gears, wheels; I bring the tools.")
    category = Str(shortest=1, longest=100, example="repair")
    subcategory = Str(longest=60, example="bicycles")
    location = Str(longest=300, example="Rīga")
    latitude = latitude()
    longitude = longitude()
    price = Amount(example=25)
    price_type = Choice(*PRICE_TYPES)
    currency = Currency()
    availability = Str(longest=500, example="Weekday evenings")
    experience = Str(longest=5000, example="Eight years in a workshop")
    service_radius = Num(least=0, most=20_100, example=15, metadata={"description": "km"})
    images = Links()
    status = Choice(*LIVING)


class OfferingInputSchema(OfferingChangesSchema):
    """A new offering."""

    class Meta(OfferingChangesSchema.Meta):
        exclude = ("status",)

    title = Str(required=True, shortest=1, longest=200, example="Bicycle repair at your door")
    description = Str(required=True, shortest=1, longest=20_000, example="Brakes, gears, wheels; I bring the tools.")
    category = Str(required=True, shortest=1, longest=100, example="repair")
    location = Str(required=True, shortest=1, longest=300, example="Rīga")
    latitude = latitude(required=True)
    longitude = longitude(required=True)


class BookingSchema(Input):
    """What the client wants; without a place it is the offering's. `price` is what is to be paid for all of it: a fixed
    one that was seen (409 where it is another one by now), else what the client gives, as is `budget`. Where money is
    to be held it has to be named."""

    message = Str(longest=5000, example="My rear wheel wobbles.")
    starts_at = Moment(example="2030-06-01T12:00:00Z")
    location = Str(longest=300, example="Tērbatas iela 12, Rīga")
    latitude = latitude()
    longitude = longitude()
    price = Amount(example=25)
    currency = Currency()
    budget = Amount(example=25)
    payment = Choice("outside", "escrow", metadata={"description": "escrow: held by the marketplace until confirmed"})
    payment_method = Str(longest=255, example="pm_card_visa")


class OfferingSchema(Schema):
    """A service on offer; `distance` (km) only where asked by position."""

    id = Int(required=True, example=1)
    title = Str(required=True, example="Bicycle repair at your door")
    description = Str(required=True, longest=20_000, example="Brakes, gears, wheels; I bring the tools.")
    category = Str(required=True, example="repair")
    subcategory = Str(required=True, allow_none=True, example="bicycles")
    location = Str(required=True, example="Rīga")
    latitude = latitude(required=True, allow_none=True)
    longitude = longitude(required=True, allow_none=True)
    price = Num(least=0, most=1e12, required=True, allow_none=True, example=25.0)
    price_minor = Int(required=True, allow_none=True, example=2500)
    price_type = Str(required=True, example="hourly")
    currency = Str(required=True, example="EUR")
    status = Str(required=True, example="active")
    creator_id = Int(required=True, example=2)
    creator_name = Str(required=True, example="Juris Bērziņš")
    creator_avatar = Str(required=True, example="https://example.com/juris.jpg")
    creator_rating = Num(least=0, most=5, required=True, example=4.9)
    creator_review_count = Int(required=True, example=12)
    creator_completed_tasks = Int(required=True, example=14)
    availability = Str(required=True, example="Weekday evenings")
    experience = Str(required=True, longest=5000, example="Eight years in a workshop")
    service_radius = Num(least=0, most=20_100, required=True, allow_none=True, example=15.0)
    image_urls = fields.List(fields.String(), required=True, metadata={"example": ["https://example.com/1.jpg"]})
    images = Str(required=True, longest=50_000, example="https://example.com/1.jpg")
    contact_count = Int(required=True, example=4)
    is_boost_active = fields.Boolean(required=True, metadata={"example": False})
    is_premium = fields.Boolean(required=True, metadata={"example": False})
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    updated_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    available_actions = available_actions("edit", "pause", "close", of=OFFERING_LIFECYCLE.requests)
    distance = Num(least=0, most=20_100, example=3.2)
