"""How good a find is: text first, then nearness, rating and freshness; every weight stands here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import exp
from typing import Any

from marketplace.core.search import Asked
from marketplace.kit.text import search_text

TEXT, NEAR, RATED, FRESH = 0.65, 0.2, 0.05, 0.1
IN_TITLE, IN_TEXT = 1.0, 0.5
WHOLE, BEGINNING, NEIGHBOUR = 1.0, 0.8, 0.7
TOGETHER = 0.15
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
        """Rounded, for people."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Find:
    """One row found, how far away it is in km (None: not asked by position), and why it stands where it does."""

    row: Any
    km: float | None
    why: Why


def why(
    asked: Asked, *, title: Sequence[str], text: str, km: float | None, age_days: float, rating_sum: int, reviews: int
) -> Why:
    """`title`: what a find is called, as people wrote it; `text`: its folded words; the ratings are its owner's."""
    near = 0.0 if km is None else 1 / (1 + km / HALF_NEAR_KM)
    fresh = exp(-LN2 * max(age_days, 0.0) / HALF_FRESH_DAYS)
    return Why(_text(asked, _folded(*title), f" {text} "), near, mean(rating_sum, reviews) / BEST_RATING, fresh)


def mean(rating_sum: int, reviews: int) -> float:
    """Bayesian mean of ratings 1 to 5: five imaginary reviews of 3.5 keep one vote from ruling."""
    return (PRIOR_REVIEWS * PRIOR_MEAN + rating_sum) / (PRIOR_REVIEWS + reviews)


def _text(asked: Asked, title: str, text: str) -> float:
    scores = [_word(meanings, typed, title, text) for meanings, typed in zip(asked.words, asked.typed, strict=True)]
    scores += [IN_TITLE if f" {' '.join(phrase)} " in title else IN_TEXT for phrase in asked.phrases]
    found = sum(scores) / len(scores) if scores else IN_TEXT
    together = TOGETHER if len(asked.typed) > 1 and f" {' '.join(asked.typed)}" in title else 0.0
    return min(1.0, found + together)


def _word(meanings: Sequence[str], typed: str, title: str, text: str) -> float:
    """The best place and way a word stands in it; both texts have a space around each word."""
    best = 0.0
    for place, weight in ((title, IN_TITLE), (text, IN_TEXT)):
        if f" {typed} " in place:
            return max(best, weight * WHOLE)
        if f" {typed}" in place:
            best = max(best, weight * BEGINNING)
        elif any(f" {meaning}" in place for meaning in meanings):
            best = max(best, weight * (BEGINNING if typed.startswith(tuple(meanings)) else NEIGHBOUR))
    return best


@lru_cache(maxsize=20_000)
def _folded(*title: str) -> str:
    return f" {search_text(*title)} "
