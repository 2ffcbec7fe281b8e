"""Letters as people look for them: one spelling of each, whatever keyboard, page or phone it came from.

Accents are taken off where a language's readers do without them (Latin, Greek, Cyrillic; the points of Arabic and
Hebrew). Signs that are half of a letter stay: the vowels of Devanagari and Thai, the voice marks of kana.
"""

import re
import unicodedata

MOST_REMEMBERED = 20_000
# Letters that are no letter with an accent in Unicode, and how people write them who do not have them.
LETTERS = {
    **dict(zip("æœðþŋĸəıȷ", ("ae", "oe", "d", "th", "n", "k", "e", "i", "j"), strict=True)),
    # As Lucene's ArabicNormalizer and PersianNormalizer: forms of alef, yeh, kaf and heh; the tatweel is no letter.
    **dict(zip("ىیۍېکہەھةٱـ", ("ي", "ي", "ي", "ي", "ك", "ه", "ه", "ه", "ه", "ا", ""), strict=True)),
    **dict(zip("ךםןףץ", "כמנפצ", strict=True)),
    "♯": "#",
    "ँ": "ं",  # as Lucene's HindiNormalizer, which takes the nukta off too
}
# Drawn without a width, though letters by their category.
UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800")
OPTIONAL = ("COMBINING", "HEBREW", "ARABIC", "SYRIAC", "VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")
OPTIONAL_TOO, LETTER_TOO = "DEVANAGARI SIGN NUKTA", "COMBINING KATAKANA"
WITH = re.compile(r"((?:LATIN|CYRILLIC) (?:SMALL|CAPITAL) LETTER .+?) WITH .+")
# Where marks stand (the rest of Unicode has none that people type): asking all 1,114,112 would take long.
BLOCKS = (
    *((0x300, 0x1E00), (0x20D0, 0x2100), (0x2CEF, 0x3100), (0xA66F, 0xAC00), (0xFB1E, 0xFB1F)),
    *((0xFE00, 0xFE30), (0x10A00, 0x10A40), (0x11000, 0x11F60), (0x1E000, 0x1E950)),
)


def fold(text: str) -> str:
    """Lower case without accents, so that Rīga finds Riga, ё finds е and Łódź finds Lodz."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(FOLDS)
    return unicodedata.normalize("NFC", plain)


class _Folds(dict[int, str]):
    """A translation table that computes what is left of a code point when it is first met."""

    def __missing__(self, code: int) -> str:
        made = _folded(chr(code))
        if len(self) < MOST_REMEMBERED:
            self[code] = made
        return made


def _folded(char: str) -> str:
    if unicodedata.category(char) == "Cf" or char in UNSEEN or _is_optional(char):
        return ""
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    known = LETTERS.get(char)
    return _without_stroke(char).casefold() if known is None else known  # ™ became TM


def _is_optional(char: str) -> bool:
    """Whether a combining mark is dropped: it is not half of a letter."""
    if not unicodedata.category(char).startswith("M"):
        return False
    name = unicodedata.name(char, "")
    return name == OPTIONAL_TOO or (name.startswith(OPTIONAL) and not name.startswith(LETTER_TOO))


def _without_stroke(char: str) -> str:
    """ł, ø, đ, ħ, қ: Unicode takes no stroke, hook or tail off; their names tell the letter below."""
    named = None if char.isascii() else WITH.fullmatch(unicodedata.name(char, ""))
    try:
        return unicodedata.lookup(named[1]) if named else char
    except KeyError:  # what stands below is no letter of its own
        return char


def _marks() -> str:
    """All combining marks as ranges of a character class: `\\w` has none of them."""
    codes = [code for first, end in BLOCKS for code in range(first, end) if unicodedata.category(chr(code))[0] == "M"]
    starts = [code for place, code in enumerate(codes) if place == 0 or codes[place - 1] != code - 1]
    ends = [code for place, code in enumerate(codes) if place + 1 == len(codes) or codes[place + 1] != code + 1]
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(starts, ends, strict=True))


FOLDS = _Folds()
MARKS = _marks()
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
# Scripts that put no space between words, and Hangul, whose words grow at both ends.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u108f\u1780-\u17d3\u17dd\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
HANGUL = "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
