"""Texts of receipts in the reader's language: labels, dates, amounts; and people's texts made harmless.

Apart from the rooms: texts from TOML, without tables.
"""

import re
import tomllib
import unicodedata
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

from marketplace.kit.clock import as_utc
from marketplace.kit.money import exponent

LANGUAGES = ("en", "lv", "ru")
DEFAULT = "en"
LONGEST = 300
JOINERS = "\u200c\u200d"  # they change letters of Persian and Hindi and the faces of emoji, never the order
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, bidi and other formats, surrogates, separators
MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
PILED = re.compile(f"({MARKS}{{4}}){MARKS}+")  # accents heaped on one letter climb over the lines above


class _Texts(TypedDict):
    """A language's formats, beside its labels."""

    group: str
    point: str
    months: list[str]
    moment: str
    payment: dict[str, str]
    refund: dict[str, str]
    statement: dict[str, str]


def spoken(language: str) -> str:
    """`lv-LV` and `LV` → `lv`; English for what we do not speak."""
    short = re.split("[-_]", language.lower())[0]
    return short if short in LANGUAGES else DEFAULT


def labels(language: str, kind: Literal["payment", "refund", "statement"]) -> dict[str, str]:
    """Labels of a receipt, a credit note or a statement."""
    table = _texts()[language]
    return {**{key: text for key, text in table.items() if isinstance(text, str)}, **table[kind]}


def amount(language: str, minor: int, currency: str) -> str:
    """123450 EUR → `1,234.50 EUR` or `1 234,50 EUR`, with no-break spaces."""
    table, decimals = _texts()[language], exponent(currency)
    digits = str(abs(minor)).zfill(decimals + 1)
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    grouped = f"{int(whole):,}".replace(",", table["group"])
    sign = "−" if minor < 0 else ""
    return f"{sign}{grouped}{table['point'] * bool(fraction)}{fraction} {currency}"


def moment(language: str, at: datetime) -> str:
    """A UTC date and time as the language writes it: `4 March 2026, 14:05 UTC`."""
    table, utc = _texts()[language], as_utc(at)
    month = table["months"][utc.month - 1]
    return table["moment"].format(day=utc.day, month=month, year=utc.year, time=f"{utc:%H:%M}")


def harmless(text: str) -> str:
    """The text on one line, cut, without control and bidirectional characters."""
    seen = "".join(" " if unicodedata.category(c) in HIDDEN and c not in JOINERS else c for c in text[: 4 * LONGEST])
    line = PILED.sub(r"\1", " ".join(seen.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


@cache
def _texts() -> dict[str, _Texts]:
    """texts.toml by language."""
    texts: dict[str, _Texts] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))
    return texts
