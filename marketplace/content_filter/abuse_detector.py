"""Insults, slurs and threats by lists of words, however the words are dressed up.

Apart from the rooms: one detector of the filter, pure text in and spans out.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from marketplace.content_filter.text_normalization import CYRILLIC, SPACED, Page, unmixed
from marketplace.kit.unicode_fold import fold

Span = tuple[str, int, int]
KINDS = ("slur", "abuse")
NEAR = 60
FOR_LETTERS = str.maketrans("013457@$!|€", "oieastasile")
FOR_CYRILLIC = str.maketrans("03461@", "озчбиа")
LONGEST_WORD = 40
SIGNS = re.compile(r"[@$*|€]|![^\W_]")
DRESSED = re.compile(r"[\w'’]*[@$!*|€](?=[\w@$!*|€])[\w@$!*|€'’]+")
OVER_AND_OVER = re.compile(r"(\w)\1{2,}")
LETTERS = re.compile(r"[^\W\d_]")
STEM_KEY = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    """A regular expression, tried only where one of the words it needs occurs."""

    kind: str
    needs: frozenset[str]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists: stems are found by their first letters, words with stars by their length."""

    words: dict[str, str]
    stems: dict[str, tuple[tuple[str, str], ...]]
    unless: dict[str, tuple[str, ...]]
    phrases: tuple[Phrase, ...]

    def kind(self, word: str) -> str:
        """`slur` or `abuse`; empty for other words."""
        found = self.words.get(word)
        if found is None and len(word) > STEM_KEY:
            found = next((k for stem, k in self.stems.get(word[:STEM_KEY], ()) if word.startswith(stem)), None)
        return found or ""


@cache
def lexicon() -> Lexicon:
    """The shipped lists."""
    found = tomllib.loads(Path(__file__).with_name("insults.toml").read_text(encoding="utf-8"))
    words = {word: kind for kind in reversed(KINDS) for word in _listed(found[kind], "words")}
    stems: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind in KINDS:
        for stem in _listed(found[kind], "stems"):
            stems[stem[:STEM_KEY]] = (*stems.get(stem[:STEM_KEY], ()), (stem, kind))
    unless = {fold(word): tuple(fold(near).split()) for word, near in found["unless"].items()}
    phrases = tuple(
        Phrase(row["kind"], frozenset(fold(row["needs"]).split()), re.compile(fold_pattern(row["pattern"])))
        for row in found["phrase"]
    )
    return Lexicon(words, stems, unless, phrases)


def fold_pattern(pattern: str) -> str:
    """The pattern with its letters folded as the texts are (й, ё), its character classes left alone."""
    return "".join(fold(char) if char.islower() else char for char in pattern)


def _listed(languages: dict[str, Any], name: str) -> list[str]:
    return [word for lists in languages.values() for word in fold(lists.get(name, "")).split()]


def insults(page: Page) -> Iterator[Span]:
    """Every insult of the page, placed in its plain reading."""
    text = page.plain.text
    if any(map(_kind_of, page.vocabulary)):
        for word, start in page.words:
            kind = _kind_of(word)
            if kind and not _is_harmless(word, text, start, start + len(word)):
                yield kind, start, start + len(word)
    if SIGNS.search(text):
        yield from _dressed(text)
    for match in SPACED.finditer(text) if page.has_spaced_letters else ():
        if kind := _of_letters(re.sub(r"[\W_]+", "", match.group())):
            yield kind, match.start(), match.end()
    for phrase in lexicon().phrases:
        if not page.vocabulary.isdisjoint(phrase.needs):
            yield from ((phrase.kind, match.start(), match.end()) for match in phrase.pattern.finditer(text))


def _dressed(text: str) -> Iterator[Span]:
    """Spans of words that have signs among their letters."""
    for match in DRESSED.finditer(text):
        word = match.group().rstrip("!|'’")
        if len(word) <= LONGEST_WORD and LETTERS.search(word) and (kind := _undressed(word)):
            yield kind, match.start(), match.start() + len(word)


def _kind_of(word: str) -> str:
    return _undressed(word) if len(word) <= LONGEST_WORD else ""


@lru_cache(maxsize=20_000)
def _undressed(word: str) -> str:
    """The word without digits, signs, stars and repetitions, in one alphabet."""
    listed = lexicon()
    if kind := listed.kind(word):
        return kind
    if "*" in word:
        return _starred(word)
    if word.isdigit() or (len(word) < 4 and not word.isalpha()):
        return ""
    read = unmixed(word.translate(FOR_CYRILLIC if CYRILLIC.search(word) else FOR_LETTERS))
    readings = (read, OVER_AND_OVER.sub(r"\1", read), OVER_AND_OVER.sub(r"\1\1", read))
    return next((kind for one in readings if one != word and (kind := listed.kind(one))), "")


def _starred(word: str) -> str:
    """The kind (slur or abuse) of the word that f**k stands for, whose first letter and one more are given; else
    empty."""
    letters = word.strip("*").translate(FOR_LETTERS)
    if not 4 <= len(letters) <= 14 or "*" not in letters or sum(char != "*" for char in letters) < 2:
        return ""
    fits = re.compile(re.escape(letters).replace(r"\*", r"\w"))
    return next((kind for one, kind in lexicon().words.items() if one[0] == letters[0] and fits.fullmatch(one)), "")


def _of_letters(word: str) -> str:
    """The kind (slur or abuse) of a word spelled in single letters, perhaps with its neighbours; else empty."""
    read = unmixed(word)
    listed = lexicon()
    if kind := listed.kind(read):
        return kind
    return next((listed.words[part] for part in _parts(read) if part in listed.words), "")


def _parts(word: str) -> Iterator[str]:
    """Pieces of four letters and more; of a long row only its beginning."""
    for start in range(min(len(word), 40)):
        for end in range(start + 4, min(len(word), start + 12) + 1):
            yield word[start:end]


def _is_harmless(word: str, text: str, start: int, end: int) -> bool:
    near = lexicon().unless.get(word)
    if not near:
        return False
    around = set(re.findall(r"[^\W_]+", text[max(0, start - NEAR) : end + NEAR])) - {word}
    return any(other.startswith(near) for other in around)
