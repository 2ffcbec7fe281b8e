"""Documents that wait for a decision, in and out."""

from marshmallow import fields

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import Input, PageQuery
from marketplace.uploads.schemas import UploadSchema
from marketplace.verification.lifecycle import VerificationStatus
from marketplace.verification.schemas import VerificationSchema


class VerificationQuery(PageQuery):
    """What waits, unless told otherwise."""

    status = Choice(*VerificationStatus, load_default=VerificationStatus.PENDING)
    user_id = Int(least=1)


class WaitingSchema(VerificationSchema):
    """With whose it is."""

    username = Str(required=True, example="anna_k")
    display_name = Str(required=True, example="Anna Kalniņa")


class VerificationFilesSchema(VerificationSchema):
    """With the documents themselves."""

    files = fields.List(fields.Nested(UploadSchema), required=True)


class RefusalSchema(Input):
    """Why; the person is told."""

    reason = Str(required=True, shortest=1, longest=500, example="The picture is blurred.")
