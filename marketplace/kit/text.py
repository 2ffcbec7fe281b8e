"""Text as people type it: words for search, lists with commas, safe for the database.

What is searched and what is typed go through the same pieces. A word is kept apart where people write it apart
as often as together (wi-fi, rtx 4090, l'armoire), and its whole stands at the end of the text: phrases meet the
pieces, and whoever writes it together meets the whole.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from marketplace.kit.unicode_fold import HANGUL, INVISIBLE, MARKS, UNSPACED, fold

MAX_QUERY_WORDS = 12
LONGEST_WORD = 100  # letters; one database refuses words of 2 kB
LONGEST_WHOLE, MOST_PIECES, MOST_WHOLES = 40, 6, 8
LONGEST_ENDING = 2  # kid's, l'armoire: what an apostrophe ties to a word is short
APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛ʼʻ′`´＇׳״ꞌ", "'"))
SIGNS = {"c++": "cpp", "c#": "csharp"}
SIGNED = re.compile(r"(?<![^\W_])([a-z])(\+{2,3}(?![^\W\d_]|\+)|\+(?![\w+])|#(?![\w#]))")
NAMED = re.compile(r"[a-z](?:sharp|(?:plus){1,3})|cpp|dotnet")
DOT_NET = re.compile(r"(?:(?<![\w.])|(?<=\basp)|(?<=\bvb)|(?<=\bado))\.net(?![^\W\d])")
ASP_NET = re.compile(r"(?<=\basp)[\s\-‐]net(?![^\W\d])", re.IGNORECASE)
TIMES = re.compile(r"(?<=\d)(\s?)[×хx✕✖⨯](\s?)(?=\d)", re.IGNORECASE)
QUOTES = '"″”„“‟«»‹›「」『』《》〈〉＂〝〞〟'
OPENED = f'(?:(?<!\\d)["″”]|[{QUOTES[3:]}])'  # behind figures they are inches
SINGLE = rf"(?<![\w{MARKS}])[‚‘‛](?=\S)[^{QUOTES}]*?(?<=\S)[‘’](?![\w{MARKS}])"  # inside words they are apostrophes
PART = re.compile(
    r"(?P<minus>[-‐‑‒–—―−﹣－])?"
    rf"(?:{OPENED}(?P<phrase>[^{QUOTES}]*)[{QUOTES}]|(?P<single>{SINGLE})|(?P<word>(?:(?!{SINGLE})[^\s{QUOTES}])+))"
)
LETTER = rf"[\w{MARKS}]"
CHUNK = re.compile(rf"{LETTER}+(?:['\-‐]{LETTER}+|(?<=[a-z])\.(?:js|io|ai)(?!{LETTER}))*")
WRITTEN = re.compile(rf"[\w{MARKS}{INVISIBLE}]+(?:['’‘ʼ\-‐‑][\w{MARKS}{INVISIBLE}]+)*")
CONNECTION = re.compile(r"['\-‐.]")
SEGMENT = re.compile(rf"[{UNSPACED}][{UNSPACED}{MARKS}]*|(?:(?![{UNSPACED}]){LETTER})+")
CLUSTER = re.compile(rf"[^{MARKS}][{MARKS}]*|[{MARKS}]+")
PIECE = re.compile(r"[kcdm]?m[23](?!\w)|\d+|\D+")  # the 2 of m² is not one of two rooms
ESCAPED = re.compile(r"%((?:25)*2c)", re.IGNORECASE)
IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
KOREAN = re.compile(rf"[{HANGUL}]+")
# What Korean hangs at the end of a noun; the longest first.
PARTICLES = ("에서", "으로", "까지", "부터", "하고", *"은는이가을를에의도로와과만")
ELISIONS = frozenset(("qu", "dell", "nell", "sull", "dall", "all", "quell", "lorsqu", "jusqu"))
# Longest first; folded as the words are, so that й is и.
RUSSIAN = tuple(
    fold(
        "ыми ими ого его ому ему ами ями ая яя ое ее ые ие ый ий ой ую юю ом ем ов ев ей ах ях ам ям ы и а я о е у ю ь"
    ).split()
)
LATIN = tuple("ajiem ajam iem ies ais ajs am as es is us os ai ei ie im em um a e i o s u".split())


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query: as it is written together; its pieces where it is also written apart (or has no spaces
    inside, in scripts that have none); the wholes of which it is a part."""

    typed: str
    apart: tuple[tuple[str, ...], ...] = ()
    wholes: tuple[str, ...] = ()

    def stands_in(self, text: str) -> bool:
        """Whether a text made by `search_text`, with a space before it, has it or a word that begins so."""
        forms = (self.typed, *self.wholes, *map(" ".join, self.apart))
        return any(f" {form}" in text for form in forms)


def search_text(*parts: str | None) -> str:
    """Folded words with single spaces: signs would be read as paths, hosts or numbers by one
    database's parser and not by the other's. The wholes of words in pieces stand at the end."""
    found: list[str] = []
    wholes: dict[str, None] = {}
    for chunk in _chunks(" ".join(part for part in parts if part)):
        if chunk.isalpha() and (chunk.isascii() or not IS_UNSPACED.search(chunk)):
            found.append(chunk[:LONGEST_WORD])
            continue
        for segment in _segments(chunk):
            found += _indexed(segment)
            wholes |= dict.fromkeys(_together(segment))
        wholes |= dict.fromkeys(_whole(chunk))
    return " ".join([*found, *wholes])


def count_words(text: str) -> int:
    """How many words a text has, each once however it stands in the index."""
    return sum(len(_segments(chunk)) for chunk in _chunks(text))


def phrase(text: str) -> tuple[str, ...]:
    """Words beside each other, as they stand in a text made by `search_text`."""
    found = [piece for chunk in _chunks(text) for segment in _segments(chunk) for piece in _indexed(segment)]
    goes_on = len(found) > 1 and is_unspaced(found[-1]) and found[-2].endswith(found[-1])
    return tuple(found[:-1] if goes_on else found)


def terms(query: str) -> list[Term]:
    """The first words of a query, each once; operators and quotes fall away."""
    found: dict[str, Term] = {}
    for chunk in _chunks(query):
        whole = _whole(chunk)
        for segment in _meant(chunk):
            typed = segment[:LONGEST_WORD]
            if typed not in found and len(found) == MAX_QUERY_WORDS:
                continue
            known = found.get(typed) or Term(typed, tuple(_apart(segment)))
            wholes = tuple(dict.fromkeys([*known.wholes, *whole]))[:MOST_WHOLES]
            found[typed] = replace(known, wholes=wholes)
    return list(found.values())


def parts(query: str) -> Iterator[tuple[bool, bool, str]]:
    """What a query has between its blanks and quotes: whether it must be absent, whether it is a phrase, its text."""
    for part in PART.finditer(_across_blanks(query)):
        quoted = part["single"] or part["phrase"]
        yield part["minus"] is not None, quoted is not None, quoted or part["word"] or ""


def _across_blanks(query: str) -> str:
    """What is read across its blanks (90 х 200, asp net) in a form that is read alike without them."""
    return ASP_NET.sub(" dotnet ", TIMES.sub(r"\1x\2", query))


def words(query: str) -> list[str]:
    """The first words of a query as they stand in a text, folded; operators and quotes fall away."""
    return [piece for term in terms(query) for piece in (term.apart[0] if term.apart else (term.typed,))][
        :MAX_QUERY_WORDS
    ]


def spellings(text: str) -> Iterator[tuple[str, str]]:
    """Folded words, and how they are written in small letters, where that differs."""
    for match in WRITTEN.finditer(text):
        written = re.sub(f"[{INVISIBLE}]", "", match.group()).lower()
        parts = [written, *re.split(r"['’‘ʼ\-‐‑]", written)] if not written.isalnum() else [written]
        yield from ((fold(CONNECTION.sub("", part.translate(APOSTROPHES))), part) for part in parts)


def is_word(text: str) -> bool:
    """Whether the text is exactly one word as `search_text` folds it."""
    return fold(text) == text and re.fullmatch(rf"(?:(?!_){LETTER})+", text) is not None


def is_named(word: str) -> bool:
    """Whether it may stand for a name with signs (C#, A+), to which the names of other things are near."""
    return NAMED.fullmatch(word) is not None


def is_unspaced(word: str) -> bool:
    """Whether a word begins in a script that puts no space between words, or in Hangul."""
    return IS_UNSPACED.match(word) is not None


def stem(word: str) -> str:
    """A folded word without its ending of case or number, by script: Russian, else Latvian and English. Used as
    the beginning of a word, so one letter too few costs little. Four letters stay.

    The endings are those of the three languages' nouns and adjectives (for Latvian as in K. Krēsliņš,
    "A stemming algorithm for Latvian", 1996, folded and shortened).
    """
    endings = RUSSIAN if "а" <= word[:1] <= "я" else LATIN
    return next((word[: -len(end)] for end in endings if word.endswith(end) and len(word) - len(end) >= 4), word)


def split_list(value: str | Iterable[str] | None) -> list[str]:
    """`"a, b"` or `["a", "b"]` → `["a", "b"]`, without empties and repeats."""
    if value is None:
        return []
    parts = value.split(",") if isinstance(value, str) else value
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def join_list(values: Iterable[str]) -> str:
    """The comma-separated form clients split and send back: a comma inside a value becomes %2C, and what looks like
    one that became so gets another 25 (%2C is %252C), so that `unescaped` gives each value back as it was."""
    return ",".join(ESCAPED.sub(r"%25\1", value).replace(",", "%2C") for value in values)


def unescaped(value: str) -> str:
    """One value of a list made by `join_list`, with its commas back."""
    return ESCAPED.sub(lambda match: "%" + match[1][2:] if len(match[1]) > 2 else ",", value)


def join_links(links: Iterable[str]) -> str:
    """As `join_list`, for addresses, in which a comma is written %2C."""
    return ",".join(link.replace(",", "%2C") for link in links)


def is_storable(text: str) -> bool:
    """Neither NUL (refused by Postgres) nor a lone surrogate (no UTF-8)."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def contains(text: str) -> str:
    """A LIKE pattern (escape character \\) that finds `text` itself, wildcards and all."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _chunks(text: str) -> Iterator[str]:
    """What is written without a space, signs that are part of a name in letters."""
    text = fold(text.translate(APOSTROPHES)).replace("_", " ").replace("⁄", " ")
    if "+" in text or "#" in text:
        text = SIGNED.sub(_named, text)
    if ".net" in text:
        text = DOT_NET.sub(" dotnet ", text)
    return (match.group() for match in CHUNK.finditer(_across_blanks(text)))


def _named(match: re.Match[str]) -> str:
    """C++ and C# as people write them without their signs; A+ is aplus."""
    letter, sign = match.groups()
    return f" {SIGNS.get(letter + sign) or letter + sign.replace('+', 'plus').replace('#', 'sharp')} "


def _segments(chunk: str) -> list[str]:
    """The parts between hyphens and apostrophes, each of one kind of script."""
    parts = CONNECTION.split(chunk)
    return [one for part in parts for one in (SEGMENT.findall(part) if IS_UNSPACED.search(part) else [part])]


def _meant(chunk: str) -> list[str]:
    """The parts that somebody looks for: without what an apostrophe ties to a word (l'armoire, kid's)."""
    found = []
    for part in re.split(r"[\-‐.]", chunk):
        tied = part.split("'")
        if len(tied) > 1 and (len(tied[0]) <= LONGEST_ENDING or tied[0] in ELISIONS):
            tied = tied[1:]
        if len(tied) > 1 and len(tied[-1]) <= LONGEST_ENDING:
            tied = tied[:-1]
        found += [segment for one in tied for segment in _segments(one)]
    return found


def _indexed(segment: str) -> list[str]:
    """A word as it stands in the index: figures apart from letters; pairs of letters, and the last one alone, where
    nothing says where a word ends."""
    if is_unspaced(segment):
        letters = CLUSTER.findall(segment)
        return [*map("".join, pairwise(letters)), letters[-1]]
    return [piece[:LONGEST_WORD] for piece in _pieces(segment)]


def _pieces(segment: str) -> list[str]:
    if segment.isalpha() or segment.isdigit():
        return [segment]
    found = PIECE.findall(segment)
    return found if len(found) <= MOST_PIECES else [segment]


def _apart(segment: str) -> Iterator[tuple[str, ...]]:
    """The ways a word of a query stands in the index in more than one piece."""
    if not is_unspaced(segment):
        pieces = _pieces(segment)
        if len(pieces) > 1:
            yield tuple(pieces)
        return
    particle = next((one for one in PARTICLES if segment.endswith(one) and len(segment) > len(one) + 1), None)
    if particle is not None and KOREAN.fullmatch(segment):
        yield tuple(_pairs(segment[: -len(particle)]))
    if len(pairs := _pairs(segment)) > 1:
        yield tuple(pairs)


def _pairs(segment: str) -> list[str]:
    letters = CLUSTER.findall(segment[:LONGEST_WHOLE])
    return [*map("".join, pairwise(letters))] if len(letters) > 1 else letters


def _together(segment: str) -> list[str]:
    """A word of figures and letters (a4, 7seater) also in one piece, besides its parts."""
    is_whole = not is_unspaced(segment) and len(_pieces(segment)) > 1 and len(segment) <= LONGEST_WHOLE
    return [segment] if is_whole else []


def _whole(chunk: str) -> list[str]:
    """A word with hyphens or apostrophes also in one piece; not ranges and other figures."""
    parts = CONNECTION.split(chunk)
    whole = "".join(parts)
    is_word = 1 < len(parts) <= MOST_PIECES and len(whole) <= LONGEST_WHOLE and not IS_UNSPACED.search(whole)
    figures = any(before[-1].isdigit() and after[0].isdigit() for before, after in pairwise(parts))
    return [whole] if is_word and not figures else []
