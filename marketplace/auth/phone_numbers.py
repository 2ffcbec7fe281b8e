"""Telephone numbers in E.164.

Apart from the rooms: the rules of a format, without tables.
"""

from typing import TYPE_CHECKING

from marketplace.kit.errors import Invalid
from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import phonenumbers
else:
    phonenumbers = lazy_module("phonenumbers")


def e164(text: str) -> str:
    """A number in any spelling as +37120000001; raises Invalid (422), also for one without its country code."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise Invalid.field("phone", "Write the number with its country, such as +371 20000001.") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid.field("phone", "There is no such number. Check the digits.")
    if not _is_reached(number) or phonenumbers.region_code_for_number(number) == "001":
        raise Invalid.field("phone", "No code can be sent to this kind of number. Use that of a mobile telephone.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_reached(number: "phonenumbers.PhoneNumber") -> bool:
    """False for premium-rate numbers and whatever is no telephone: sending codes there is a way to take our money."""
    kinds = phonenumbers.PhoneNumberType
    reached = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.PERSONAL_NUMBER}
    return phonenumbers.number_type(number) in reached


def same(one: str | None, other: str | None) -> bool:
    """Whether two spellings are one number."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isdigit() or char == "+")
