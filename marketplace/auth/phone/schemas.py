"""Telephone numbers and codes in."""

from marketplace.auth.schemas import one_time_code, phone_number
from marketplace.core.http.schemas import Input


class PhoneSchema(Input):
    """A number with its country."""

    phone = phone_number(required=True)


class PhoneCodeSchema(PhoneSchema):
    """And the code that was sent to it."""

    code = one_time_code(required=True, shortest=1, longest=20)
