"""Plans and subscriptions in and out. What a plan costs is never taken from a client."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Amount, Choice, Int, Num, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery, Query
from marketplace.payments.schemas import RefundSchema, minor, money
from marketplace.payments.subscriptions.lifecycle import SubscriptionStatus

TIME = "2026-01-31T10:00:00Z"


class PriceSchema(Schema):
    """An amount."""

    amount = Num(least=0, most=1e12, required=True, example=50.0)
    price_minor = Int(required=True, example=5000)
    currency = Currency(required=True)


class PlanSchema(PriceSchema):
    """A plan; `amount` in the reader's currency where it has a price in it, `prices` in all of them."""

    key = Str(required=True, example="client-hunter")
    name = Str(required=True, example="Client hunter")
    prices = fields.List(fields.Nested(PriceSchema), required=True)
    interval = Choice("month", "year", required=True)
    unlocks = fields.List(fields.String(), required=True, metadata={"example": ["start_conversations"]})
    grace_days = Int(required=True, example=7)


class PlansQuery(Query):
    """In which language; the reader's own, unless said."""

    lang = Choice("en", "lv", "ru", example="en")


class PlansSchema(Schema):
    """What one can subscribe to."""

    plans = fields.List(fields.Nested(PlanSchema), required=True)
    total = Int(required=True, example=2)


class SubscribeSchema(Input):
    """Which plan, by which provider (the first of the settings, unless said) and method (to be given at the provider,
    unless said), and the price that was seen: 409 where it is another one by now."""

    plan = Str(required=True, shortest=1, longest=30, example="client-hunter")
    provider = Str(longest=20, example="fake")
    payment_method = Str(longest=255, example="pm_card_visa")
    price = Amount(example=50)
    currency = Currency()


class StopQuery(Query):
    """Whether it ends now, or with what is paid for."""

    now = fields.Boolean(load_default=False, metadata={"example": False})


class SubscriptionSchema(PriceSchema):
    """One's subscription; `unlocks` is what comes with it now, `client_secret` and `next_url` are for paying."""

    id = Int(required=True, example=1)
    plan = Str(required=True, example="client-hunter")
    plan_name = Str(required=True, example="Client hunter")
    next_plan = Str(required=True, allow_none=True, example=None)
    status = Choice(*SubscriptionStatus, required=True, example="active")
    provider = Str(required=True, example="fake")
    interval = Str(required=True, allow_none=True, example="month")
    unlocks = fields.List(fields.String(), required=True, metadata={"example": ["start_conversations"]})
    period_start = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    period_end = fields.DateTime(required=True, allow_none=True, metadata={"example": "2026-02-28T10:00:00Z"})
    cancel_at_period_end = fields.Boolean(required=True, metadata={"example": False})
    grace_until = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    client_secret = Str(required=True, allow_none=True, example=None)
    next_url = Str(required=True, allow_none=True, example=None)
    failure = Str(required=True, allow_none=True, example=None)
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    ended_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})


class MySubscriptionSchema(Schema):
    """Mine, or null."""

    subscription = fields.Nested(SubscriptionSchema, required=True, allow_none=True)


class ReceiptsQuery(PageQuery):
    """Which page."""


class InvoiceRefundSchema(RefundSchema):
    """A refund; `number` is that of its credit note, once it is over."""

    number = Str(required=True, allow_none=True, example="C2026-000001")


class PlanReceiptSchema(PriceSchema):
    """Something that was paid for a plan, the number of its receipt, and what of it went back."""

    id = Int(required=True, example=1)
    number = Str(required=True, example="2026-000001")
    plan = Str(required=True, example="client-hunter")
    provider = Str(required=True, example="fake")
    refunded = money(10.0)
    refunded_minor = minor(1000)
    refunds = fields.List(fields.Nested(InvoiceRefundSchema), required=True)
    paid_at = fields.DateTime(required=True, metadata={"example": TIME})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class PrintQuery(Query):
    """In which language and form."""

    lang = Choice("en", "lv", "ru", example="en")
    format = Choice("pdf", "html", example="pdf")
