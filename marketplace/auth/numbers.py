"""Telephone numbers in E.164."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from marketplace.kit.errors import Invalid


def e164(text: str) -> str:
    """+37120000001, however it was written; raises Invalid (422). A number without its country is nobody's."""
    try:
        number = phonenumbers.parse(text, None)
    except NumberParseException:
        raise Invalid.field("phone", "Write the number with its country, such as +371 20000001.") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid.field("phone", "There is no such number. Check the digits.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def same(one: str | None, other: str | None) -> bool:
    """Whether two ways of writing mean one number."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isdigit() or char == "+")
