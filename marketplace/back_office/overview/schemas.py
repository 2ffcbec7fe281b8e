"""Figures, accounts, subscriptions and settings in and out."""

from marshmallow import Schema, fields

from marketplace.auth.account_admin.schemas import TIME, AccountSchema, moment
from marketplace.back_office.overview.queries import DAYS_OF, SERIES
from marketplace.core.http.fields import Choice, Int, Num, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery, Query
from marketplace.payments.subscriptions.lifecycle import SubscriptionStatus


class StatsSchema(Schema):
    """How many there are."""

    total_users = Int(required=True, example=120)
    new_users_week = Int(required=True, example=7)
    total_tasks = Int(required=True, example=300)
    active_tasks = Int(required=True, example=40)
    completed_tasks = Int(required=True, example=210)
    disputed_tasks = Int(required=True, example=2)
    total_offerings = Int(required=True, example=80)
    total_disputes = Int(required=True, example=9)
    open_disputes = Int(required=True, example=2)


class AnalyticsQuery(Query):
    """Which days."""

    range = Choice(*DAYS_OF, load_default="30d", example="7d")


class AnalyticsSchema(Schema):
    """What was new on each day (of UTC), and the sums of it."""

    range = Choice(*DAYS_OF, required=True)
    metrics = fields.Dict(required=True, metadata={"example": dict.fromkeys(SERIES, 1)})
    series = fields.Dict(
        required=True, metadata={"example": {name: [{"label": "2026-01-31", "value": 1}] for name in SERIES}}
    )


class ListedAccountSchema(AccountSchema):
    """An account, and how much of it there is."""

    jobs_count = Int(required=True, example=3)
    offerings_count = Int(required=True, example=1)


class AnySubscriptionsQuery(PageQuery):
    """In one state or all."""

    status = Choice(*SubscriptionStatus)


class AnySubscriptionSchema(Schema):
    """Somebody's subscription."""

    id = Int(required=True, example=1)
    user_id = Int(required=True, example=7)
    username = Str(required=True, example="anna_k")
    plan = Str(required=True, example="premium")
    status = Choice(*SubscriptionStatus, required=True)
    provider = Str(required=True, example="stripe")
    amount = Num(least=0, most=1e12, required=True, example=9.99)
    amount_minor = Int(required=True, example=999)
    currency = Currency(required=True)
    period_start = moment(allow_none=True)
    period_end = moment(allow_none=True)
    cancel_at_period_end = fields.Boolean(required=True, metadata={"example": False})
    created_at = moment()
    ended_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})


class SettingsSchema(Schema):
    """What the marketplace was started with."""

    site_name = Str(required=True, example="Marketplace")
    support_email = Str(required=True, example="help@example.com")
    payment_providers = fields.List(fields.String(), required=True, metadata={"example": ["stripe"]})
    platform_fee_percent = Num(least=0, most=100, required=True, example=10.0)
    listing_days = Int(required=True, example=60)
    dispute_response_days = Int(required=True, example=3)
    dispute_appeal_days = Int(required=True, example=3)


class SettingsAnswerSchema(Schema):
    """Under their name."""

    settings = fields.Nested(SettingsSchema, required=True)


class SettingsInputSchema(Input):
    """As they were answered."""

    settings = fields.Dict(required=True, metadata={"example": {"listing_days": 60}})
