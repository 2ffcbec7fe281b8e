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
    """+37120000001, however it was written; raises Invalid (422). A number without its country is nobody's."""
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
    """What costs extra to call, or is no telephone, is not written to: that is how codes are turned into money."""
    kinds = phonenumbers.PhoneNumberType
    reached = {kinds.MOBILE, kinds.FIXED_LINE_OR_MOBILE, kinds.PERSONAL_NUMBER}
    return phonenumbers.number_type(number) in reached


def same(one: str | None, other: str | None) -> bool:
    """Whether two ways of writing mean one number."""
    return _plain(one) == _plain(other)


def _plain(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isdigit() or char == "+")
