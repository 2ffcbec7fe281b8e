"""Chargebacks out of the back office, and evidence into it."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import Currency, Input, PageQuery, available_actions
from marketplace.payments.chargebacks.lifecycle import CHARGEBACK_LIFECYCLE, ChargebackStatus
from marketplace.payments.schemas import TIME, minor, money
from marketplace.uploads.schemas import UploadSchema

LONGEST_EVIDENCE = 20_000


class ChargebacksQuery(PageQuery):
    """Which chargebacks."""

    status = Choice(*ChargebackStatus, example="open")
    payment_id = Int(least=1, example=1)


class ChargebackSchema(Schema):
    """A payment that the payer's bank disputes: `withdrawn` is what was taken out of our balance, `fee` what the
    provider charges, `evidence` what was answered until `evidence_due_at`."""

    id = Int(required=True, example=1)
    payment_id = Int(required=True, example=1)
    provider = Str(required=True, example="stripe")
    provider_id = Str(required=True, example="du_1")
    status = Choice(*ChargebackStatus, required=True, example="open")
    amount = money(40.0)
    amount_minor = minor(4000)
    withdrawn = money(40.0)
    withdrawn_minor = minor(4000)
    fee = money(15.0)
    fee_minor = minor(1500)
    currency = Currency(required=True)
    reason = Str(required=True, example="fraudulent")
    evidence = Str(required=True, example="")
    evidence_due_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    evidence_sent_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    opened_at = fields.DateTime(required=True, metadata={"example": TIME})
    closed_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})
    available_actions = available_actions("answer", of=CHARGEBACK_LIFECYCLE.requests)


class DisputedDealSchema(Schema):
    """A deal that the payment is for."""

    reference = Str(required=True, example="task:7")
    title = Str(required=True, example="Carry a sofa to the third floor")


class ChargebackDetailSchema(ChargebackSchema):
    """A chargeback with the deals it is about, and the paper that was shown to the bank, its address signed for a
    quarter of an hour."""

    deals = fields.List(fields.Nested(DisputedDealSchema), required=True)
    evidence_file = fields.Nested(UploadSchema, required=True, allow_none=True)


class ChargebackEvidenceInputSchema(Input):
    """What speaks against the chargeback, for the bank to read, and a document of one's own uploads (PDF, JPEG or PNG,
    4.5 MB at most)."""

    evidence = Str(
        required=True, shortest=1, longest=LONGEST_EVIDENCE, example="The payer confirmed the work on March 4."
    )
    file = Str(longest=300, example="7Jq0f3Vb2mZk.pdf")
