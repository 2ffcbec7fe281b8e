"""Telephone numbers in E.164."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from marketplace.kit.errors import Invalid

# What costs extra to call, or is no telephone, is not written to: that is how codes are turned into money.
REACHED = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER}


def e164(text: str) -> str:
    """+37120000001, however it was written; raises Invalid (422). A number without its country is nobody's."""
    try:
        number = phonenumbers.parse(text, None)
    except NumberParseException:
        raise Invalid.field("phone", "Write the number with its country, such as +371 20000001.") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid.field("phone", "There is no such number. Check the digits.")
    if phonenumbers.number_type(number) not in REACHED or phonenumbers.region_code_for_number(number) == "001":
        raise Invalid.field("phone", "No code can be sent to this kind of number. Use that of a mobile telephone.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def same(one: str | None, other: str | None) -> bool:
    """Whether two ways of writing mean one number."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isdigit() or char == "+")
