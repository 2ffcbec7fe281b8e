"""Fields as clients send them, checked for form and range; each carries an example for the document."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from marketplace.core.database.db import COMMA
from marketplace.core.http.access import local_zone
from marketplace.core.http.validation_messages import MISSING, TextLength
from marketplace.kit.clock import as_utc
from marketplace.kit.json_types import JsonObject
from marketplace.kit.normalization import is_blank, one_line
from marketplace.kit.text import is_storable, split_list, unescaped

MAX_ID = 2**63 - 1
PLAIN_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
SPECIAL = {"nan", "snan", "inf", "infinity"}
LONGEST_LINE = 300  # characters; longer texts have paragraphs


class Str(fields.String):
    """Trimmed text of at most `longest` characters (1,000 unless told), safe for the database; brought into `form`
    before it is checked. A short one is one line, unless it may have `lines`. What shows nothing is empty, and nothing
    that is required may be empty."""

    default_error_messages = {
        "unstorable": "This text holds characters that cannot be stored.",
        "blank": MISSING,
    }

    def __init__(
        self,
        *,
        shortest: int = 0,
        longest: int = 1000,
        example: str | None = "text",
        trim: bool = True,
        lines: bool | None = None,
        form: Callable[[str], str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.trim, self.form = trim, form
        self.is_one_line = trim and not (longest > LONGEST_LINE if lines is None else lines)
        checks: list[Callable[[str], object]] = [TextLength(min=shortest, max=longest)]
        checks += _listed(kwargs.pop("validate", None))
        super().__init__(validate=checks, metadata=_metadata(kwargs, example), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not is_storable(text):
            raise self.make_error("unstorable")
        text = self.form(text) if self.form else text
        if not self.trim:
            return text
        if is_blank(text):
            return self._nothing()
        return one_line(text).strip() if self.is_one_line else text.strip()

    def _nothing(self) -> str:
        if self.required:
            raise self.make_error("blank")
        return ""


class Choice(Str):
    """A string out of a fixed set, which the OpenAPI document lists as an enum."""

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        kwargs.setdefault("example", choices[0])
        sentence = f"One of: {', '.join(choices)}."
        super().__init__(validate=validate.OneOf(choices, error=sentence), **kwargs)


class OneOfThose:
    """One of the words that `read` answers when somebody asks: what the slices declare is known once all are there."""

    def __init__(self, read: Callable[[], Iterable[str]]) -> None:
        self.read = read

    @property
    def choices(self) -> list[str]:
        """What the document names."""
        return list(self.read())

    def __call__(self, value: Any) -> Any:
        """Raises ValidationError."""
        if value not in self.choices:
            raise ValidationError(f"One of: {', '.join(self.choices)}.")
        return value


class ChoiceOf(Str):
    """One of the words that `read` answers when somebody asks."""

    def __init__(self, read: Callable[[], Iterable[str]], *, example: str, **kwargs: Any) -> None:
        super().__init__(validate=OneOfThose(read), example=example, **kwargs)


def _is_odd(value: Any) -> bool:
    """A text that Python takes for a number and nobody else does: 1_000, digits of other scripts. What the sender meant
    would be a guess, and may be money. Special ones (NaN) are refused by the fields themselves."""
    return isinstance(value, str) and not PLAIN_NUMBER.fullmatch(value) and value.strip(" +-").lower() not in SPECIAL


class Int(fields.Integer):
    """A whole number within bounds; 2⁶³−1 at most, which is what the database holds."""

    def __init__(self, *, least: int = 0, most: int = MAX_ID, example: int | None = 1, **kwargs: Any) -> None:
        super().__init__(
            strict=False,
            validate=between(least, most),
            metadata=_metadata(kwargs, example),
            **kwargs,
        )

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()) or _is_odd(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Num(fields.Float):
    """A finite number within bounds."""

    def __init__(self, *, least: float, most: float, example: float | None, **kwargs: Any) -> None:
        super().__init__(validate=between(least, most), metadata=_metadata(kwargs, example), **kwargs)

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool) or _is_odd(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


def latitude(**kwargs: Any) -> Num:
    """WGS 84, −90 to 90 degrees."""
    return Num(least=-90, most=90, example=56.9496, **kwargs)


def longitude(**kwargs: Any) -> Num:
    """WGS 84, −180 to 180 degrees."""
    return Num(least=-180, most=180, example=24.1052, **kwargs)


class Amount(fields.Decimal):
    """Money in major units; whether its decimals fit the currency is the service's question."""

    def __init__(self, *, example: float = 99.99, **kwargs: Any) -> None:
        super().__init__(
            validate=between(0, 10**12),
            metadata=_metadata(kwargs, example),
            **kwargs,
        )

    def _validated(self, value: Any) -> Decimal:
        if isinstance(value, bool) or _is_odd(value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Moment(fields.DateTime):
    """ISO 8601; one without a zone is in the sender's. Always answered in UTC with a Z."""

    def __init__(self, *, example: str = "2030-06-01T12:00:00Z", **kwargs: Any) -> None:
        super().__init__(format="iso", metadata=_metadata(kwargs, example), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        try:
            return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=local_zone()))
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class Words(fields.Field[list[str]]):
    """A list of short texts, or the same as one comma-separated string (in which `%2C` is a comma inside a value)."""

    escaped = True

    default_error_messages = {
        "invalid": "A list of texts, or one text with commas.",
        "many": "At most {most} values.",
        "long": "At most {longest} characters a value.",
        "unstorable": "This text holds characters that cannot be stored.",
    }

    def __init__(self, *, most: int = 30, longest: int = 60, example: str = "one, two", **kwargs: Any) -> None:
        self.most, self.longest = most, longest
        shape = {"type": ["string", "array"], "items": {"type": "string"}}
        super().__init__(metadata={**shape, **_metadata(kwargs, example)}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        parts = value if isinstance(value, str | list) else None
        if parts is None or not all(isinstance(part, str) for part in parts):
            raise self.make_error("invalid")
        found = [part for part in _values(parts, is_escaped=self.escaped) if not is_blank(part)]
        if len(found) > self.most:
            raise self.make_error("many", most=self.most)
        if any(len(part) > self.longest for part in found):
            raise self.make_error("long", longest=self.longest)
        if not all(is_storable(part) for part in found):
            raise self.make_error("unstorable")
        return found


class Links(Words):
    """Web addresses: http(s) or paths of this marketplace; anything else could be a script."""

    escaped = False  # to an address %2C is not a comma

    default_error_messages = {"link": "Each address starts with https://, http:// or /."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("example", "https://example.com/1.jpg,https://example.com/2.jpg")
        super().__init__(most=20, longest=2000, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        found = super()._deserialize(value, attr, data, **kwargs)
        if not all(is_link(link) for link in found):
            raise self.make_error("link")
        return found


def _values(parts: str | list[str], *, is_escaped: bool) -> list[str]:
    """The values without what stands for a comma in the database; those of a string with their own commas."""
    if not isinstance(parts, str):
        return split_list(part.replace(COMMA, " ") for part in parts)
    found = split_list(parts.replace(COMMA, " "))
    return [unescaped(part) for part in found] if is_escaped else found


def between(least: float, most: float) -> validate.Range:
    """A Range validator whose error names the bounds."""
    if most == MAX_ID:
        return validate.Range(min=least, max=most, error=f"At least {least}.")
    return validate.Range(min=least, max=most, error=f"Between {least:,} and {most:,}.")


def is_link(text: str) -> bool:
    """Whether a page may put this into href or src: http(s) or a path of ours, no script, nothing that no address has
    (RFC 3986, appendix C) and that would end an attribute. To browsers `//host` is no path of ours, nor with a
    backslash."""
    is_known = text.startswith(("https://", "http://")) or (text[:1] == "/" and text[1:2] not in {"/", "\\"})
    return is_known and not any(c.isspace() or c in '"<>\\`' for c in text)


def link(**kwargs: Any) -> Str:
    """A string field for one web address, or empty."""

    def check(text: str) -> None:
        if text and not is_link(text):
            raise ValidationError("This address starts with https://, http:// or /.")

    return Str(longest=2000, validate=check, example="https://example.com/me.jpg", **kwargs)


def _listed(checks: Any) -> list[Callable[[str], object]]:
    if checks is None:
        return []
    return list(checks) if isinstance(checks, list | tuple) else [checks]


def _metadata(kwargs: dict[str, Any], example: Any) -> JsonObject:
    """None is an example only where null is a value; elsewhere it says that there is none."""
    shown = {} if example is None and not kwargs.get("allow_none") else {"example": example}
    return {**shown, **kwargs.pop("metadata", {})}
