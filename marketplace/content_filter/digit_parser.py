"""Digits in every spelling (figures, words, look-alikes), brought into one line with the places they came from.

Apart from the rooms: the first half of the number detector, pure text in and figures out.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from marketplace.content_filter.text_normalization import LOOK_ALIKES, Page, unmixed
from marketplace.kit.json_types import JsonObject
from marketplace.kit.unicode_fold import fold

FOUND = tomllib.loads(Path(__file__).with_name("numbers.toml").read_text(encoding="utf-8"))


def _of_all(languages: dict[str, dict[str, Any]]) -> JsonObject:
    return {fold(word): value for words in languages.values() for word, value in words.items()}


DIGITS, TEENS, PARTS = _of_all(FOUND["digits"]), _of_all(FOUND["teens"]), _of_all(FOUND["parts"])
REPEATS = _of_all(FOUND["repeats"])
BETWEEN, PLUS = frozenset(FOUND["between"]["words"].split()), frozenset(FOUND["between"]["plus"].split())
NUMBERS = DIGITS | TEENS | PARTS
HUNDRED = frozenset({"hundred", "simti", "simtu"})
STANDS_FOR_A_DIGIT = {"o": "0", "о": "0", "too": "2", "to": "2", "for": "4", "ate": "8"}
GLUED = re.compile("(?:" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + "){2,}")
ONE_OF_GLUED = re.compile("|".join(sorted(NUMBERS, key=len, reverse=True)))
LIKE_DIGITS = str.maketrans("oоlizзsbб", "001133586")
DIGITISH = re.compile(r"[0-9oоlizзsbб]+")
ROUND = re.compile(r"(?=.*\d)[0-9oо]{2,10}|(?=.*\d.*\d)[0-9oоli]{2,9}[0-9oоl]")  # 51O is 510, 5l0 too
LIKE_LETTERS = str.maketrans("013457", "oieast")
RUN = re.compile(r"\d+|[^\W\d_]+")
NEVER_BETWEEN = frozenset(",:;=%€$£₽\"'×<>#&?!\n+")
NEVER_BETWEEN_SINGLE = frozenset('%€$£₽="”')
LONGEST_GAP = 4
LONGEST_WORD = 40  # longer ones are not remembered
APART = "apart"
HAS_DIGIT = re.compile(r"\d")
Meaning = str | tuple[str, int, int, bool]
RANGE = re.compile(r"\s[-–—‐]\s")


@dataclass(slots=True)
class Figure:
    """Digits written together; `single` where they stood one by one or were words."""

    digits: str
    start: int
    end: int
    single: bool
    plus: bool = False
    apart: bool = False


class Line:
    """All digits of a text; figures that can be one number have a space between them, others a bar."""

    def __init__(self, figures: list[Figure]) -> None:
        self.figures = figures
        pieces: list[str] = []
        self._starts: list[int] = []
        length = 0
        for figure in figures:
            shown = " ".join(figure.digits) if figure.single else figure.digits
            between = "" if not pieces else "|" if figure.apart else " "
            piece = between + ("+" if figure.plus else "") + shown
            self._starts.append(length + len(between))
            pieces.append(piece)
            length += len(piece)
        self.text = "".join(pieces)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of text[start:end]."""
        figures = self._within(start, end)
        return figures[0].start, figures[-1].end

    def has_words(self, start: int, end: int) -> bool:
        """Whether some of text[start:end] was written in words."""
        return any(figure.single for figure in self._within(start, end))

    def _within(self, start: int, end: int) -> list[Figure]:
        return self.figures[bisect_right(self._starts, start) - 1 : bisect_right(self._starts, end - 1)]


def line(page: Page, passed_over: list[tuple[int, int]]) -> Line:
    """The digits of a page, without what touches `passed_over` (prices, dates)."""
    text = page.plain.text
    figures: list[Figure] = []
    pending: list[str] = []  # what the words before say of the next digit
    for start, means in _figures(page):
        if isinstance(means, str):
            pending = [APART] if means == APART else [*pending, means]
            continue
        digits, begins, ends, single = means
        figure = Figure(digits, start + begins, start + ends, single)
        if _touches(figure, passed_over):
            pending = [APART]
            continue
        _join(figures, figure, pending, text)
        pending = []
    return Line(figures)


def _join(figures: list[Figure], figure: Figure, pending: list[str], text: str) -> None:
    before = figures[-1] if figures else None
    gap = text[before.end : figure.start] if before else ""
    figure.apart = before is None or APART in pending or not _goes_on(before, figure, gap, len(pending))
    lead = text[max(0, figure.start - 3) : figure.start].rstrip(" (")
    figure.plus = lead.endswith("+") or "plus" in pending
    if lead.endswith("+"):
        figure.start = max(0, figure.start - 3) + len(lead) - 1
    figure.apart = figure.apart or figure.plus
    times = 3 if "3" in pending else 2 if "2" in pending else 1
    if times > 1 and figure.single and len(figure.digits) == 1:
        figure.digits *= times
    if before and not figure.apart and _adds_up(before, figure):
        figure.digits = before.digits[: -len(figure.digits)] + figure.digits
        figure.start, figure.plus, figure.apart = before.start, before.plus, before.apart
        figures.pop()
    figures.append(figure)


def _adds_up(before: Figure, figure: Figure) -> bool:
    """Twenty nine is 29, and двести девяносто один is 291."""
    if not (before.single and figure.single and figure.digits.strip("0")):
        return False
    room = len(before.digits) - len(before.digits.rstrip("0"))
    return before.digits.strip("0") != "" and room > 0 and len(before.digits) > 1 and len(figure.digits) <= room


def _goes_on(before: Figure, figure: Figure, gap: str, words_between: int) -> bool:
    """Whether two figures can be parts of one number."""
    single = (before.single or len(before.digits) == 1) and (figure.single or len(figure.digits) == 1)
    if words_between:
        return single and len(gap) <= LONGEST_GAP + 10 * words_between
    if len(gap) > LONGEST_GAP or not NEVER_BETWEEN_SINGLE.isdisjoint(gap):
        return False
    if single:
        return True
    if not NEVER_BETWEEN.isdisjoint(gap) or (". " in gap and not (before.single or figure.single)):
        return False
    return not (RANGE.fullmatch(gap) and len(before.digits) >= 3 and len(figure.digits) >= 2)


def _figures(page: Page) -> Iterator[tuple[int, Meaning]]:
    """Start and meaning of each word that means digits; APART for one that ends a number."""
    if not (HAS_DIGIT.search(page.plain.text) or any(map(_means_digits, page.vocabulary))):
        return
    in_number = False
    for word, start in page.words:
        means = _meaning(word, in_number) if len(word) <= LONGEST_WORD else _of_mixed(word)
        if not means:
            if in_number:
                yield start, APART
                in_number = False
            continue
        for each in means:
            yield start, each
        in_number = means[-1] != APART


def _means_digits(word: str) -> bool:
    return bool(_meaning(word, False)) if len(word) <= LONGEST_WORD else bool(_of_mixed(word))


@lru_cache(maxsize=20_000)
def _meaning(word: str, in_number: bool) -> tuple[Meaning, ...]:
    """Digits with their place in the word, "2" and "3" for double and triple, "plus", "between"; nothing for a word
    that has to do with no number."""
    known = word if word.isdigit() else _known(word)
    if known is None and in_number and (word in STANDS_FOR_A_DIGIT or word in HUNDRED):
        known = STANDS_FOR_A_DIGIT.get(word, "00")
    if known is not None:
        return ((known, 0, len(word), not word.isdigit()),)
    if word in BETWEEN:
        return ("between",) if in_number else ()
    if word in PLUS:
        return ("plus",)
    return (str(REPEATS[word]),) if word in REPEATS else _of_mixed(word)


def _known(word: str) -> str | None:
    """The digits of a number word, also of one in letters of two alphabets or with digits for letters."""
    found = NUMBERS.get(word)
    if found is None and 2 < len(word) < 12:
        found = NUMBERS.get(unmixed(word)) or NUMBERS.get(word.replace("l", "i"))
        if found is None and not word.isalpha():
            found = NUMBERS.get(word.translate(LIKE_LETTERS).translate(LOOK_ALIKES))
    return str(found) if found else None


def _of_mixed(word: str) -> tuple[Meaning, ...]:
    if word.isalpha():
        glued = _glued(word, 0) if len(word) > 5 else APART
        return () if glued == APART else (glued,)
    if (len(word) <= 10 and ROUND.fullmatch(word)) or (DIGITISH.fullmatch(word) and _letters_inside(word)):
        return ((word.translate(LIKE_DIGITS), 0, len(word), False),)
    means = tuple(
        (run.group(), run.start(), run.end(), False) if run.group().isdigit() else _glued(run.group(), run.start())
        for run in RUN.finditer(word)
    )
    if APART in means:
        return means
    return (("".join(str(each[0]) for each in means), 0, len(word), True),)


def _glued(letters: str, start: int) -> Meaning:
    """The meaning of number words written together (sixfourzero), or after digits (32four)."""
    if letters not in NUMBERS and not GLUED.fullmatch(letters):
        return APART
    digits = "".join(str(NUMBERS[match.group()]) for match in ONE_OF_GLUED.finditer(letters))
    return digits, start, start + len(letters), True


def _letters_inside(word: str) -> bool:
    """O, l and з between many digits are digits; after them they are litres, sizes and seconds."""
    return sum(char.isdigit() for char in word) >= 5 and word[0].isdigit() and (word[-1].isdigit() or word[-1] in "oо")


def _touches(figure: Figure, spans: list[tuple[int, int]]) -> bool:
    nearest = bisect_right(spans, (figure.end - 1, figure.end + 10**9)) - 1
    return nearest >= 0 and spans[nearest][1] > figure.start
