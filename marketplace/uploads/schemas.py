"""Files in and out."""

from marshmallow import Schema, fields

from marketplace.core.http.fields import Choice, Int, Str
from marketplace.core.http.schemas import Input, PageQuery, page_of
from marketplace.uploads.file_types import ATTACHMENTS
from marketplace.uploads.models import PURPOSES

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "image/heif", "image/avif")
TYPES = tuple(dict.fromkeys((*PICTURES, "application/pdf", *(kind.media_type for kind in ATTACHMENTS.values()))))
CATEGORIES = ("image", "task", "chat", "avatar", "document")
NAME = "5f2c9a7e1b3d4c5e5f2c9a7e1b3d4c5e"
TIME = "2026-01-31T10:00:00Z"


class UploadsQuery(PageQuery):
    """Newest first."""


class DirectInputSchema(Input):
    """What is going to be PUT."""

    content_type = Choice(*TYPES, required=True)
    size = Int(least=1, required=True, example=120_000, metadata={"description": "bytes, exactly"})
    purpose = Choice(*PURPOSES, load_default="image")
    name = Str(
        longest=255,
        load_default="",
        example="Estimate.docx",
        metadata={
            "description": "of a document: what its content is held against, and how it is called when downloaded"
        },
    )


class SignedQuery(Input):
    """What opens a private file for a while."""

    is_query = True
    expires = Str(longest=20, load_default="", example="1790000000", metadata={"description": "seconds since 1970"})
    signature = Str(longest=100, load_default="", example="mM5T1LQ0…")


class UploadSchema(Schema):
    """One file of mine; a private one's addresses end after a quarter of an hour."""

    id = Int(required=True, example=1)
    url = fields.String(required=True, metadata={"example": f"/api/uploads/{NAME}.jpg"})
    filename = fields.String(required=True, metadata={"example": f"{NAME}.jpg"})
    original_name = fields.String(
        required=True,
        allow_none=True,
        metadata={"example": "Estimate.docx", "description": "of a document: how it is called when downloaded"},
    )
    content_type = fields.String(required=True, metadata={"example": "image/jpeg"})
    size = Int(required=True, example=120_000)
    width = Int(required=True, allow_none=True, example=1600)
    height = Int(required=True, allow_none=True, example=1200)
    is_private = fields.Boolean(required=True, metadata={"example": False})
    thumbnails = fields.Dict(
        required=True,
        metadata={"example": {size: f"/api/uploads/{NAME}-{size}.webp" for size in ("small", "medium", "large")}},
    )
    created_at = fields.DateTime(required=True, metadata={"example": TIME})


class UploadedSchema(UploadSchema):
    """What came of an upload."""

    message = fields.String(required=True, metadata={"example": "The file is stored."})
    category = Choice(*CATEGORIES, required=True)


class StorageStatusSchema(Schema):
    """Where files are kept."""

    configured = fields.Boolean(required=True, metadata={"example": True})
    provider = Choice("local", "s3", required=True)


UploadsPage = page_of(
    UploadSchema, "uploads", used_bytes=Int(required=True, example=120_000), quota_bytes=Int(required=True)
)


class DirectSchema(Schema):
    """Where and how to send the bytes."""

    id = Int(required=True, example=1)
    method = fields.String(required=True, metadata={"example": "PUT"})
    url = fields.String(required=True, metadata={"example": "https://bucket.example.com/incoming/5f2c?X-Amz-…"})
    headers = fields.Dict(required=True, metadata={"example": {"Content-Type": "image/jpeg"}})
    expires_at = fields.DateTime(required=True, metadata={"example": TIME})


class DirectCreatedSchema(Schema):
    """The way is open."""

    message = fields.String(required=True, metadata={"example": "Send the file to this address, then complete it."})
    id = Int(required=True, example=1)
    upload = fields.Nested(DirectSchema, required=True)


class LinkSchema(Schema):
    """An address that counts for a while."""

    url = fields.String(required=True, metadata={"example": f"/api/uploads/{NAME}.pdf?expires=1790000000&signature=…"})
