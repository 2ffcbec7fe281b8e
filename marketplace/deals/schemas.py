"""Deals in and out."""

from marshmallow import Schema, fields

from marketplace.auth.schemas import one_time_code
from marketplace.core.http.fields import Amount, Choice, Int, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery
from marketplace.deals.lifecycle import SIDES, DealStage
from marketplace.payments.schemas import money

TIME = "2026-01-31T10:00:00Z"


class DealsQuery(PageQuery):
    """Which deals: of one kind, in one stage, on one side, or all."""

    kind = Str(longest=20, example="task")
    stage = Choice(*DealStage, example="active")
    side = Choice(*SIDES, example="client")


def _moment(example: str | None = None) -> fields.DateTime:
    return fields.DateTime(required=True, allow_none=example is None, metadata={"example": example})


class DealSchema(Schema):
    """What two people agreed on. `side` is the reader's; `link` is the address of what it is about."""

    reference = Str(required=True, example="task:7")
    kind = Str(required=True, example="task")
    subject_id = Int(required=True, example=7)
    title = Str(required=True, example="Assemble a wardrobe")
    client_id = Int(required=True, example=1)
    client_name = Str(required=True, example="Anna B.")
    provider_id = Int(required=True, example=2)
    provider_name = Str(required=True, example="Juris K.")
    side = Choice(*SIDES, required=True, allow_none=True, example="client")
    currency = Str(required=True, example="EUR")
    price = money(40.0, allow_none=True)
    price_minor = Int(required=True, allow_none=True, least=0, example=4000)
    category = Str(required=True, example="assembly")
    payment = Str(required=True, example="escrow")
    stage = Choice(*DealStage, required=True, example="active")
    link = Str(required=True, example="/api/tasks/7")
    agreed_at = _moment(TIME)
    delivered_at = _moment()
    completed_at = _moment()
    cancelled_at = _moment()
    confirms_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={
            "example": None,
            "description": "When delivered work counts as confirmed, unless somebody disputes it",
        },
    )
    updated_at = _moment(TIME)


class DealDetailSchema(DealSchema):
    """With what is in escrow for it now; None where nothing is."""

    held = money(40.0, allow_none=True)
    held_minor = Int(required=True, allow_none=True, least=0, example=4000)


class DealStepSchema(Schema):
    """One thing that happened: to the deal, to the trade's own thing (a task), or to a payment."""

    at = _moment(TIME)
    about = Str(required=True, example="task")
    verb = Str(required=True, example="start")
    from_state = Str(required=True, allow_none=True, example="assigned")
    to_state = Str(required=True, example="in_progress")
    by = Choice(*SIDES, "staff", "system", required=True, example="provider")


class TimelineSchema(Schema):
    """Oldest first."""

    timeline = fields.List(fields.Nested(DealStepSchema), required=True)


class PayDealSchema(Input):
    """By which provider (the first of the settings, unless said) and method (to be confirmed later, unless said), and
    the price that was seen: 409 where it is another one by now. A deal's has to be named with a method, and its
    currency if the payer's is another."""

    provider = Str(longest=20, example="fake")
    payment_method = Str(longest=255, example="pm_card_visa")
    price = Amount(example=40)
    currency = Currency()


class HandOverCodeAskedSchema(Input):
    """The same code as before, unless a fresh one is wanted."""

    fresh = fields.Boolean(metadata={"example": False})


class HandOverCodeSchema(Schema):
    """Six digits."""

    code = Str(required=True, example="123456")


class HandOverSchema(Input):
    """What the client shows."""

    code = one_time_code(required=True, shortest=1, longest=20)
