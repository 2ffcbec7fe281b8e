"""Categories in and out."""

from marshmallow import Schema, ValidationError, fields

from marketplace.catalog.models import KINDS
from marketplace.core.http.fields import Choice, Int, Str, Words
from marketplace.core.http.schemas import Input, Query


def check_kinds(kinds: list[str]) -> None:
    """Only kinds of things that have categories."""
    if set(kinds) - set(KINDS):
        raise ValidationError(f"Kinds are: {', '.join(KINDS)}.")


def check_key(key: str) -> None:
    """Keys stand in addresses and in clients' code."""
    if not key.replace("-", "").replace("_", "").isalnum() or not key.isascii() or key != key.lower():
        raise ValidationError("A key is lower-case letters, digits and hyphens.")


class CategoryQuery(Query):
    """Which part of the tree."""

    kind = Choice(*KINDS)


class CategoryChangesSchema(Input):
    """What an admin may change; the key stays."""

    name = Str(shortest=1, longest=100, example="Bicycles")
    parent_key = Str(longest=60, allow_none=True, example="sports")
    kinds = Words(validate=check_kinds, example="listing,task")
    aliases = Words(example="bike, bikes")
    position = Int(most=10_000, example=10)


class CategoryInputSchema(CategoryChangesSchema):
    """A new node."""

    key = Str(required=True, shortest=1, longest=60, validate=check_key, example="bicycles")
    name = Str(required=True, shortest=1, longest=100, example="Bicycles")


class CategorySchema(Schema):
    """One node."""

    id = Int(required=True, example=1)
    key = Str(required=True, example="bicycles")
    name = Str(required=True, example="Bicycles")
    parent_key = Str(required=True, allow_none=True, example="sports")
    kinds = fields.List(fields.String(), required=True, metadata={"example": ["listing"]})
    aliases = fields.List(fields.String(), required=True, metadata={"example": ["bike"]})
    position = Int(required=True, example=10)


class CategoryNodeSchema(CategorySchema):
    """One node with what stands under it."""

    children = fields.List(fields.Dict(), required=True, metadata={"example": []})


class CategoryTreeSchema(Schema):
    """The whole tree."""

    categories = fields.List(fields.Nested(CategoryNodeSchema), required=True)
    total = Int(required=True, example=1)
