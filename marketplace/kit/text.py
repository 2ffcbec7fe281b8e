"""Text as people type it: folded for search, listed with commas, safe for the database."""

import re
import unicodedata
from collections.abc import Iterable

WORD = re.compile(r"\w+")
MAX_QUERY_WORDS = 12


def fold(text: str) -> str:
    """Lower case without accents, so that Rīga finds Riga and ё finds е."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()  # ™ became TM


# Longest first; folded as the words are, so that й is и.
RUSSIAN = tuple(
    fold(
        "ыми ими ого его ому ему ами ями ая яя ое ее ые ие ый ий ой ую юю ом ем ов ев ей ах ях ам ям ы и а я о е у ю ь"
    ).split()
)
LATIN = tuple("ajiem ajam iem ies ais ajs am as es is us os ai ei ie im em um a e i o s u".split())


def search_text(*parts: str | None) -> str:
    """Folded words with single spaces: signs would be read as paths, hosts or numbers by one
    database's parser and not by the other's."""
    return " ".join(_words(" ".join(part for part in parts if part)))


def words(query: str) -> list[str]:
    """The first words of a query, folded; operators and quotes fall away."""
    return _words(query)[:MAX_QUERY_WORDS]


def stem(word: str) -> str:
    """A folded word without its ending of case or number, by script: Russian, else Latvian and English. Used as
    the beginning of a word, so one letter too few costs little. Four letters stay.

    The endings are those of the three languages' nouns and adjectives (for Latvian as in K. Krēsliņš,
    "A stemming algorithm for Latvian", 1996, folded and shortened).
    """
    endings = RUSSIAN if "а" <= word[:1] <= "я" else LATIN
    return next((word[: -len(end)] for end in endings if word.endswith(end) and len(word) - len(end) >= 4), word)


def _words(text: str) -> list[str]:
    return WORD.findall(fold(text).replace("_", " "))


def split_list(value: str | Iterable[str] | None) -> list[str]:
    """`"a, b"` or `["a", "b"]` → `["a", "b"]`, without empties and repeats."""
    if value is None:
        return []
    parts = value.split(",") if isinstance(value, str) else value
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def join_list(values: Iterable[str]) -> str:
    """The comma-separated form clients split; a comma inside a value (a URL) becomes %2C."""
    return ",".join(value.replace(",", "%2C") for value in values)


def is_storable(text: str) -> bool:
    """Neither NUL (refused by Postgres) nor a lone surrogate (no UTF-8)."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def contains(text: str) -> str:
    """A LIKE pattern (escape character \\) that finds `text` itself, wildcards and all."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
