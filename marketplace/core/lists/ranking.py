"""How good a find is: text first, then nearness, rating and freshness; every weight stands here."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import exp
from typing import Any

from marketplace.core.lists.full_text import SearchQuery, Word
from marketplace.kit.text import count_words, search_text, stem

TEXT, NEAR, RATED, FRESH = 0.65, 0.2, 0.05, 0.1
IN_TITLE, IN_TEXT = 1.0, 0.5
WHOLE, INFLECTED, SAME, SLIP, BEGINNING = 1.0, 0.95, 0.9, 0.7, 0.6
TOGETHER, TITLE_SHARE = 0.15, 0.1
HALF_NEAR_KM, HALF_FRESH_DAYS = 10.0, 30.0
PRIOR_REVIEWS, PRIOR_MEAN, BEST_RATING = 5, 3.5, 5.0
LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Why:
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
        return {name: round(value, 3) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One row found, how far away it is in km (None: not asked by position), and why it stands where it does."""

    row: Any
    km: float | None
    why: Why


def why(
    asked: SearchQuery,
    *,
    title: Sequence[str],
    text: str,
    km: float | None,
    age_days: float,
    rating_sum: int,
    reviews: int,
) -> Why:
    """`title`: what a find is called, as people wrote it; `text`: its folded words; the ratings are its owner's."""
    near = 0.0 if km is None else 1 / (1 + km / HALF_NEAR_KM)
    fresh = exp(-LN2 * max(age_days, 0.0) / HALF_FRESH_DAYS)
    return Why(_text(asked, *_folded(*title), f" {text} "), near, mean(rating_sum, reviews) / BEST_RATING, fresh)


def mean(rating_sum: int, reviews: int) -> float:
    """Bayesian mean of ratings 1 to 5: five imaginary reviews of 3.5 keep one vote from ruling."""
    return (PRIOR_REVIEWS * PRIOR_MEAN + rating_sum) / (PRIOR_REVIEWS + reviews)


def _text(asked: SearchQuery, title: str, title_words: int, text: str) -> float:
    """How well the words stand in it; of equal ones the title that says less else comes first."""
    titled = [_word(word, title) for word in asked.words]
    titled += [WHOLE if f" {' '.join(phrase)} " in title else 0.0 for phrase in asked.phrases]
    if not titled:
        return IN_TEXT
    scores = [IN_TITLE * score for score in titled]
    for place, word in enumerate(asked.words):
        if scores[place] < IN_TEXT:
            scores[place] = max(scores[place], IN_TEXT * _word(word, text))
    scores[len(asked.words) :] = [score or IN_TEXT for score in scores[len(asked.words) :]]
    typed = " ".join(_pieces(word) for word in asked.words)
    together = TOGETHER if len(asked.words) > 1 and f" {typed}" in title else 0.0
    share = sum(titled) / max(title_words, 1)
    return min(1.0, (1 - TITLE_SHARE) * (sum(scores) / len(scores) + together) + TITLE_SHARE * min(1.0, share))


def _word(word: Word, place: str) -> float:
    """The best way it stands in a text with a space around each word; 0 where it does not."""
    forms = (word.typed, *word.wholes, *map(" ".join, word.apart))
    if any(f" {form} " in place for form in forms) or word.is_letter:
        return WHOLE if any(f" {form} " in place for form in forms) else 0.0
    if _inflected(word.typed).search(place):
        return INFLECTED
    if any(_inflected(one).search(place) for one in word.same):
        return SAME
    if any(_inflected(one).search(place) for one in word.near):
        return SLIP
    return BEGINNING if f" {word.typed}" in place else 0.0


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
