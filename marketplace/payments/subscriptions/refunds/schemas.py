"""Invoices of plans for staff, and how much of one goes back."""

from marshmallow import fields

from marketplace.core.http.fields import Int, Str
from marketplace.core.http.schemas import PageQuery
from marketplace.payments.schemas import RefundInputSchema, minor, money
from marketplace.payments.subscriptions.schemas import TIME, InvoiceRefundSchema, PriceSchema


class InvoicesQuery(PageQuery):
    """Whose invoices."""

    user_id = Int(least=1, example=1)


class InvoiceSchema(PriceSchema):
    """What somebody paid for a plan, and what of it went back; `number` is the receipt's."""

    id = Int(required=True, example=1)
    user_id = Int(required=True, example=1)
    subscription_id = Int(required=True, example=1)
    provider = Str(required=True, example="stripe")
    provider_id = Str(required=True, example="in_1")
    number = Str(required=True, example="2026-000001")
    plan = Str(required=True, example="client-hunter")
    refunded = money(10.0)
    refunded_minor = minor(1000)
    refunds = fields.List(fields.Nested(InvoiceRefundSchema), required=True)
    paid_at = fields.DateTime(required=True, metadata={"example": TIME})
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class InvoiceRefundInputSchema(RefundInputSchema):
    """How much goes back (all that is left, unless said), why, and whether the plan ends with it."""

    end_plan = fields.Boolean(load_default=False, metadata={"example": False})
