"""How good a find is: text first, then nearness, rating and freshness; every weight stands here."""

import re
from collections.abc import Sequence
from functools import lru_cache
from math import exp
from typing import Any, NamedTuple

from marketplace.core.lists.full_text import SearchQuery, Word
from marketplace.kit.text import count_words, search_text, stem

TEXT, NEAR, RATED, FRESH = 0.65, 0.2, 0.05, 0.1
IN_TEXT = 0.5  # of what it would be in the title
WHOLE, INFLECTED, SAME, SLIP, BEGINNING = 1.0, 0.95, 0.9, 0.7, 0.6
TOGETHER, TITLE_SHARE = 0.15, 0.1
HALF_NEAR_KM, HALF_FRESH_DAYS = 10.0, 30.0
PRIOR_REVIEWS, PRIOR_MEAN, BEST_RATING = 5, 3.5, 5.0
LN2 = 0.6931471805599453


class Why(NamedTuple):
    """The parts of a score, each between 0 and 1."""

    text: float
    near: float
    rated: float
    fresh: float

    @property
    def score(self) -> float:
        """Their weighed sum; without a position nearness takes no part."""
        return TEXT * self.text + NEAR * self.near + RATED * self.rated + FRESH * self.fresh

    def told(self) -> dict[str, float]:
        """The parts rounded to three digits, for people."""
        return {name: round(value, 3) for name, value in self._asdict().items()}


class SearchHit(NamedTuple):
    """One row found, how far away it is in km (None: not asked by position), and why it stands where it does."""

    row: Any
    km: float | None
    why: Why


def mean(rating_sum: int, reviews: int) -> float:
    """Bayesian mean of ratings 1 to 5: five imaginary reviews of 3.5 keep one vote from ruling."""
    return (PRIOR_REVIEWS * PRIOR_MEAN + rating_sum) / (PRIOR_REVIEWS + reviews)


class Ranker:
    """Judges what a query found, some hundred rows a request: what depends on the query alone is made once."""

    def __init__(self, asked: SearchQuery) -> None:
        self._words = [_Form(word) for word in asked.words]
        self._phrases = [f" {' '.join(phrase)} " for phrase in asked.phrases]
        self._together = f" {' '.join(map(_pieces, asked.words))} " if len(asked.words) > 1 else None

    def why(
        self, *, title: Sequence[str], text: str, km: float | None, age_days: float, rating_sum: int, reviews: int
    ) -> Why:
        """`title`: what a find is called, as people wrote it; `text`: its folded words; the ratings are its owner's."""
        near = 0.0 if km is None else 1 / (1 + km / HALF_NEAR_KM)
        fresh = exp(-LN2 * max(age_days, 0.0) / HALF_FRESH_DAYS)
        return Why(self._text(*_folded(*title), text), near, mean(rating_sum, reviews) / BEST_RATING, fresh)

    def _text(self, title: str, title_words: int, text: str) -> float:
        """How well the words stand in it; of equal ones the title that says less else comes first."""
        titled = [word.standing(title) for word in self._words]
        titled += [WHOLE if phrase in title else 0.0 for phrase in self._phrases]
        if not titled:
            return IN_TEXT
        stands = self._also_in(text, titled) if min(titled) < IN_TEXT else sum(titled)
        together = TOGETHER if self._together is not None and self._together in title else 0.0
        share = sum(titled) / max(title_words, 1)
        return min(1.0, (1 - TITLE_SHARE) * (stands / len(titled) + together) + TITLE_SHARE * min(1.0, share))

    def _also_in(self, text: str, titled: Sequence[float]) -> float:
        """The sum of how well each stands in title or text, where the title has not all."""
        place, count = f" {text} ", len(self._words)
        words = [
            score if score >= IN_TEXT else max(score, IN_TEXT * word.standing(place))
            for score, word in zip(titled, self._words, strict=False)
        ]
        return sum(words) + sum(score or IN_TEXT for score in titled[count:])


class _Form:
    """A word of the query in the ways it may stand in a text with a space around each word."""

    def __init__(self, word: Word) -> None:
        self._wholes = tuple(f" {form} " for form in (word.typed, *word.wholes, *map(" ".join, word.apart)))
        self._is_letter = word.is_letter
        self._inflected = _inflected(word.typed).search
        self._same = [_inflected(one).search for one in word.same]
        self._near = [_inflected(one).search for one in word.near]
        self._beginning = f" {word.typed}"

    def standing(self, place: str) -> float:
        """The best way it stands there; 0 where it does not."""
        for form in self._wholes:
            if form in place:
                return WHOLE
        if self._is_letter:
            return 0.0
        if self._inflected(place):
            return INFLECTED
        if any(found(place) for found in self._same):
            return SAME
        if any(found(place) for found in self._near):
            return SLIP
        return BEGINNING if self._beginning in place else 0.0


def _pieces(word: Word) -> str:
    """The word as the index has it where it stands in one place."""
    return " ".join(word.apart[-1]) if word.apart and not word.typed.isalpha() else word.typed


@lru_cache(maxsize=5_000)
def _inflected(word: str) -> re.Pattern[str]:
    """A pattern for the word with another ending: its stem and at most three letters more."""
    root = stem(word)
    return re.compile(rf" {re.escape(root)}\w{{0,{3 if len(root) > 3 else 1}}} ")


@lru_cache(maxsize=20_000)
def _folded(*title: str) -> tuple[str, int]:
    return f" {search_text(*title)} ", count_words(" ".join(filter(None, title)))
