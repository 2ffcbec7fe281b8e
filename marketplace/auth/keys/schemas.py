"""API keys in and out."""

from marshmallow import Schema, ValidationError, fields

from marketplace.auth.keys.scopes import scopes
from marketplace.core.http.fields import Int, Moment, OneOfThose, Str
from marketplace.core.http.schemas import Input

TIME = "2030-01-31T10:00:00Z"


class NotTooMany:
    """At least one, and not more than there are."""

    min, equal = 1, None

    @property
    def max(self) -> int:
        """What the document names."""
        return len(scopes())

    def __call__(self, value: list[str]) -> list[str]:
        """Raises ValidationError."""
        if not self.min <= len(value) <= self.max:
            raise ValidationError("Name at least one scope, each once.")
        return value


class ApiKeyRequestSchema(Input):
    """What the key is for, what it opens, how often in a day and until when (the most there is, unless told)."""

    name = Str(required=True, shortest=1, longest=100, example="stock robot")
    scopes = fields.List(
        Str(validate=OneOfThose(scopes), example="listings:read"),
        required=True,
        validate=NotTooMany(),
        metadata={"example": ["listings:read", "listings:write"]},
    )
    expires_at = Moment(example=TIME, allow_none=True)
    requests_a_day = Int(least=1, example=5000)


class DaySchema(Schema):
    """One day's requests (UTC)."""

    day = Str(required=True, example="2026-01-31")
    requests = Int(required=True, example=412)
    refused = Int(required=True, example=0)


class ApiKeySchema(Schema):
    """A key; its text was shown once."""

    id = Int(required=True, example=1)
    name = Str(required=True, example="stock robot")
    scopes = fields.List(fields.String(), required=True, metadata={"example": ["listings:read"]})
    requests_a_day = Int(required=True, example=5000)
    requests_today = Int(required=True, example=412)
    created_at = fields.DateTime(required=True, metadata={"example": "2026-01-31T10:00:00Z"})
    expires_at = fields.DateTime(required=True, allow_none=True, metadata={"example": TIME})
    last_used_at = fields.DateTime(required=True, allow_none=True, metadata={"example": "2026-01-31T10:00:00Z"})
    usage = fields.List(fields.Nested(DaySchema), required=True)


class ApiKeysSchema(Schema):
    """All of mine."""

    api_keys = fields.List(fields.Nested(ApiKeySchema), required=True)
    total = Int(required=True, example=1)


class NewApiKeySchema(Schema):
    """The key and, this once, its text."""

    message = Str(required=True, example="Copy the key now: it is not shown again.")
    id = Int(required=True, example=1)
    key = Str(required=True, example="mk_1_Zk3v0nJ8Qm5T1LQ0x3kXb7eYxM3RSPabcdEFGH12345")
    api_key = fields.Nested(ApiKeySchema, required=True)
