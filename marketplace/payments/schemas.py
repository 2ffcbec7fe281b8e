"""Payments, wallets and payouts in and out. What is paid and what it costs is never taken from a client."""

from typing import Any

from marshmallow import Schema, fields

from marketplace.core.http.fields import Amount, Choice, Int, Num, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery, Query, available_actions
from marketplace.payments.lifecycle import (
    PAYMENT_LIFECYCLE,
    PAYOUT_LIFECYCLE,
    PaymentStatus,
    PayoutStatus,
    RefundStatus,
)

TIME = "2026-01-31T10:00:00Z"
MOST = 1e12


def money(example: float, **kwargs: object) -> Num:
    """Major units."""
    return Num(least=-MOST, most=MOST, required=True, example=example, **kwargs)


def minor(example: int) -> Int:
    """Minor units."""
    return Int(least=-(2**63), required=True, example=example)


class ConfirmSchema(Input):
    """By which method; without one, by what the payer did at the provider. The price that was seen: 409 where it is
    another one."""

    payment_method = Str(longest=255, example="pm_card_visa")
    price = Amount(example=40)
    currency = Currency()


class RefundInputSchema(Input):
    """How much goes back (everything, unless said), in the payment's currency, and why."""

    amount = Amount(example=10)
    reason = Str(longest=500, example="It took half the time.")

    def _is_left_empty(self, key: str, value: Any) -> bool:
        """Everything goes back where nothing is said, and not where NaN became null on the way."""
        return key != "amount" and super()._is_left_empty(key, value)


class ShareRefundSchema(RefundInputSchema):
    """As for one deal; `reference` says of which, where the payment is for several."""

    reference = Str(longest=60, example="task:7")


class PaymentsQuery(PageQuery):
    """Which payments."""

    status = Choice(*PaymentStatus, example="held")
    task_id = Int(least=1, example=7)


class RefundSchema(Schema):
    """Money on its way back, or back."""

    id = Int(required=True, example=1)
    status = Choice(*RefundStatus, required=True)
    amount = money(10.0)
    price_minor = minor(1000)
    currency = Currency(required=True)
    reason = Str(required=True, example="It took half the time.")
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class PaymentShareSchema(Schema):
    """The part of a payment that is for one deal and one payee; `held` is in escrow now."""

    reference = Str(required=True, example="task:7")
    title = Str(required=True, example="Carry a sofa to the third floor")
    payee_id = Int(required=True, example=2)
    status = Choice(*PaymentStatus, required=True, example="held")
    amount = money(40.0)
    price_minor = minor(4000)
    fee = money(4.0)
    fee_minor = minor(400)
    tax = money(0.0)
    tax_minor = minor(0)
    discount = money(0.0)
    discount_minor = minor(0)
    subsidy = money(0.0)
    subsidy_minor = minor(0)
    payee_amount = money(36.0)
    payee_minor = minor(3600)
    held = money(40.0)
    held_minor = minor(4000)
    refunded = money(0.0)
    refunded_minor = minor(0)


class PaymentSchema(Schema):
    """A payment; `client_secret` and `next_url` are for whoever pays, while it is not paid. A payment for several deals
    has a share for each, and no `payee_id`; a payee sees their own share only. `available_from` is when the provider
    has settled it; while `is_disputed_by_bank` nothing of it moves."""

    id = Int(required=True, example=1)
    reference = Str(required=True, example="task:7")
    task_id = Int(required=True, allow_none=True, example=7)
    title = Str(required=True, example="Carry a sofa to the third floor")
    status = Choice(*PaymentStatus, required=True, example="held")
    provider = Str(required=True, example="fake")
    payer_id = Int(required=True, example=1)
    payee_id = Int(required=True, allow_none=True, example=2)
    amount = money(40.0)
    price_minor = minor(4000)
    currency = Currency(required=True)
    fee = money(4.0)
    fee_minor = minor(400)
    tax = money(0.0)
    tax_minor = minor(0)
    discount = money(0.0)
    discount_minor = minor(0)
    payee_amount = money(36.0)
    payee_minor = minor(3600)
    subsidy = money(0.0)
    subsidy_minor = minor(0)
    held = money(40.0)
    held_minor = minor(4000)
    refunded = money(0.0)
    refunded_minor = minor(0)
    is_disputed_by_bank = fields.Boolean(required=True, metadata={"example": False})
    available_from = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    shares = fields.List(fields.Nested(PaymentShareSchema), required=True)
    client_secret = Str(required=True, allow_none=True, example=None)
    next_url = Str(required=True, allow_none=True, example=None)
    failure = Str(required=True, allow_none=True, example=None)
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    updated_at = fields.DateTime(required=True, metadata={"example": TIME})
    captured_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    ended_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    available_actions = available_actions("refund", of=PAYMENT_LIFECYCLE.requests)


class PaymentDetailSchema(PaymentSchema):
    """A payment with what went back and the numbers of its receipts."""

    refunds = fields.List(fields.Nested(RefundSchema), required=True, metadata={"example": []})
    receipts = fields.List(fields.String(), required=True, metadata={"example": ["2026-000001"]})


class PaymentTransactionSchema(PaymentSchema):
    """A payment by the contract's other names; `status` has fewer states."""

    status = Choice("pending", "held", "released", "refunded", "partially_refunded", "failed", required=True)
    platform_fee = money(4.0)
    worker_amount = money(36.0)
    held_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    released_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    refunded_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    failure_reason = Str(required=True, allow_none=True, example=None)


class QuoteSchema(Schema):
    """What would be paid and who would get it."""

    amount = money(40.0)
    price_minor = minor(4000)
    currency = Currency(required=True)
    fee = money(4.0)
    fee_minor = minor(400)
    tax = money(0.0)
    tax_minor = minor(0)
    discount = money(0.0)
    discount_minor = minor(0)
    subsidy = money(0.0)
    subsidy_minor = minor(0)
    payee_amount = money(36.0)
    payee_minor = minor(3600)


class ConfigSchema(Schema):
    """What a front end needs to begin; `providers` the default first."""

    publishable_key = Str(required=True, example="")
    platform_fee_percent = Num(least=0, most=100, required=True, example=10.0)
    providers = fields.List(fields.String(), required=True, metadata={"example": ["fake"]})


class ReceiptQuery(Query):
    """Which receipt or credit note (the first receipt, unless said) and in which language."""

    number = Str(longest=40, example="2026-000001")
    lang = Choice("en", "lv", "ru", example="en")
    format = Choice("pdf", "html", example="pdf")


class PartSchema(Schema):
    """Amounts: what can be paid out now, what is in escrow for this person, what is on its way to the bank, what is on
    its way back to this person's card, what the provider has not settled yet, and what a payer's bank disputes."""

    available = money(36.0)
    available_minor = minor(3600)
    held = money(0.0)
    held_minor = minor(0)
    pending = money(0.0)
    pending_minor = minor(0)
    going_back = money(0.0)
    going_back_minor = minor(0)
    unsettled = money(0.0)
    unsettled_minor = minor(0)
    frozen = money(0.0)
    frozen_minor = minor(0)


class ProviderPartSchema(PartSchema):
    """What lies at one provider and leaves by it alone; `can_be_paid_out`: the provider knows where it should go."""

    provider = Str(required=True, example="stripe")
    can_be_paid_out = fields.Boolean(required=True, metadata={"example": True})


class BalanceSchema(PartSchema):
    """One currency, all providers together. What is owed at one provider is not taken from another, and as much is kept
    back there. `available_from` is when the next part of what is not settled can be paid out."""

    currency = Currency(required=True)
    available_from = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    by_provider = fields.List(fields.Nested(ProviderPartSchema), required=True)


class WalletSchema(Schema):
    """A wallet; `can_be_paid_out` says whether some provider knows where the money should go."""

    balances = fields.List(fields.Nested(BalanceSchema), required=True)
    can_be_paid_out = fields.Boolean(required=True, metadata={"example": True})


class TransactionsQuery(PageQuery):
    """Which movements."""

    currency = Currency()


class TransactionSchema(Schema):
    """One movement: `amount` is negative where it left, `balance` what there was at this provider then, `fee` what the
    marketplace kept (with its tax) of what was paid. The explanation is in the reader's language."""

    id = Int(required=True, example=1)
    kind = Str(required=True, example="release")
    explanation = Str(required=True, example="Paid for “Carry a sofa”, less 4.00 EUR")
    fee = money(4.0)
    fee_minor = minor(400)
    reference = Str(required=True, example="task:7")
    subject = Str(required=True, example="payment:1")
    amount = money(36.0)
    price_minor = minor(3600)
    balance = money(36.0)
    balance_minor = minor(3600)
    currency = Currency(required=True)
    provider = Str(required=True, example="stripe")
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class PayoutInputSchema(Input):
    """How much of which currency, and of what lies at which provider (wherever it lies, unless said)."""

    amount = Amount(required=True, example=36)
    currency = Currency(required=True)
    provider = Str(longest=20, example="fake")


class PayoutsQuery(PageQuery):
    """Which payouts."""

    status = Choice(*PayoutStatus, example="paid")


class PayoutSchema(Schema):
    """Money on its way to a bank; it is sent from `available_from` on, where the provider has to settle it first."""

    id = Int(required=True, example=1)
    status = Choice(*PayoutStatus, required=True)
    amount = money(36.0)
    price_minor = minor(3600)
    currency = Currency(required=True)
    provider = Str(required=True, example="fake")
    origin = Str(required=True, example="manual")
    failure = Str(required=True, allow_none=True, example=None)
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    updated_at = fields.DateTime(required=True, metadata={"example": TIME})
    available_from = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    paid_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    available_actions = available_actions("cancel", of=PAYOUT_LIFECYCLE.requests)


class OnboardingInputSchema(Input):
    """Where the bank account is (the profile's country, unless said), and which provider is to know (one where money
    waits for it, else the first, unless said)."""

    country = Str(longest=2, example="LV")
    provider = Str(longest=20, example="fake")


class OnboardingSchema(Schema):
    """Where to tell the provider who one is, and whether it knows enough."""

    url = Str(required=True, example="https://connect.example.com/setup/1")
    ready = fields.Boolean(required=True, metadata={"example": False})
