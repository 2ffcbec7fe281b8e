"""Telephone numbers and codes in."""

from marketplace.core.fields import Str
from marketplace.core.schemas import Input


class PhoneSchema(Input):
    """A number with its country."""

    phone = Str(required=True, longest=30, example="+371 20000001")


class PhoneCodeSchema(PhoneSchema):
    """And the code that was sent to it."""

    code = Str(required=True, shortest=1, longest=20, example="492039")
