"""Money in and out of the back office."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import PageQuery
from marketplace.payments.lifecycle import PaymentStatus, PayoutStatus
from marketplace.payments.schemas import PayoutSchema, minor, money

TIME = "2026-01-31T10:00:00Z"


class AnyPaymentsQuery(PageQuery):
    """Which payments."""

    status = Choice(*PaymentStatus, example="held")
    payer_id = Int(least=1, example=1)
    payee_id = Int(least=1, example=2)
    reference = Str(longest=60, example="task:7")


class AnyPayoutsQuery(PageQuery):
    """Which payouts."""

    status = Choice(*PayoutStatus, example="on_hold")
    user_id = Int(least=1, example=2)


class JudgedPayoutSchema(PayoutSchema):
    """A payout, whose it is, and why it was held."""

    user_id = Int(required=True, example=2)
    score = Int(required=True, example=60)
    reasons = fields.List(fields.String(), required=True, metadata={"example": ["the account is new"]})


class BreaksQuery(PageQuery):
    """Open ones, unless `open` is false; `ledger` (our own books) or `provider`."""

    open = fields.Boolean(load_default=True, metadata={"example": True})
    kind = Choice("ledger", "provider")


class BreakSchema(Schema):
    """What does not agree, in minor units, and since when."""

    id = Int(required=True, example=1)
    kind = Str(required=True, example="provider")
    subject = Str(required=True, example="stripe payment pi_1")
    currency = Str(required=True, example="EUR")
    ours_minor = minor(4000)
    theirs_minor = minor(0)
    found_at = fields.DateTime(required=True, metadata={"example": TIME})
    seen_at = fields.DateTime(required=True, metadata={"example": TIME})
    closed_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})


class LedgerTotalSchema(Schema):
    """All accounts of one purpose and currency at one provider together."""

    purpose = Str(required=True, example="escrow")
    currency = Str(required=True, example="EUR")
    provider = Str(required=True, example="stripe")
    accounts = Int(required=True, example=3)
    balance = money(120.0)
    balance_minor = minor(12000)


class LedgerSchema(Schema):
    """The books at a glance; the balances of a currency at a provider sum to zero."""

    is_frozen = fields.Boolean(required=True, metadata={"example": False})
    accounts = fields.List(fields.Nested(LedgerTotalSchema), required=True)
