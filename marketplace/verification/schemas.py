"""Verification in and out."""

from marshmallow import Schema, fields, validate

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import Input
from marketplace.verification.lifecycle import VerificationStatus
from marketplace.verification.models import DOCUMENT_TYPES

MOST_FILES = 10
TIME = "2026-01-31T10:00:00Z"
FILE = "0f3a9c5be1d24f7a8b6c0d1e2f3a4b5c.pdf"


class VerificationInputSchema(Input):
    """What the documents are, and their names (or addresses) as the upload answered them."""

    document_type = Choice(*DOCUMENT_TYPES, required=True)
    files = fields.List(
        Str(longest=500, shortest=1, example=FILE),
        required=True,
        validate=validate.Length(min=1, max=MOST_FILES, error=f"One to {MOST_FILES} files."),
        metadata={"example": [FILE]},
    )
    note = Str(longest=1000, example="Both sides of the card.")


class VerificationSchema(Schema):
    """One submission; `reason` says why it was refused."""

    id = Int(required=True, example=1)
    user_id = Int(required=True, example=7)
    document_type = Choice(*DOCUMENT_TYPES, required=True)
    note = Str(required=True, example="Both sides of the card.")
    status = Choice(*VerificationStatus, required=True)
    reason = Str(required=True, example="")
    files_count = Int(required=True, example=2)
    created_at = fields.DateTime(required=True, metadata={"example": TIME})
    decided_at = fields.DateTime(required=True, allow_none=True, metadata={"example": None})


class VerificationStateSchema(Schema):
    """Where I stand: `none` where I have sent nothing yet."""

    status = Choice("none", *VerificationStatus, required=True)
    is_verified = fields.Boolean(required=True, metadata={"example": False})
    verification = fields.Nested(VerificationSchema, required=True, allow_none=True)
