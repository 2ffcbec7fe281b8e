"""How good a find is: text first, then nearness and freshness; every weight stands here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import exp

TEXT, NEAR, FRESH = 0.7, 0.2, 0.1
IN_TITLE, IN_TEXT = 1.0, 0.5
WHOLE, BEGINNING, NEIGHBOUR = 1.0, 0.8, 0.7
TOGETHER = 0.15
HALF_NEAR_KM, HALF_FRESH_DAYS = 10.0, 30.0
LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Why:
    """The parts of a score, each between 0 and 1."""

    text: float
    near: float
    fresh: float

    @property
    def score(self) -> float:
        """Their weighed sum; without a position nearness takes no part."""
        return TEXT * self.text + NEAR * self.near + FRESH * self.fresh

    def told(self) -> dict[str, float]:
        """Rounded, for people."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def why(
    words: Sequence[Sequence[str]],
    typed: Sequence[str],
    *,
    title: Sequence[str],
    text: Sequence[str],
    km: float | None,
    age_days: float,
) -> Why:
    """`words` are what each typed word stands for; `title` and `text` are folded words of the thing."""
    scores = [_word(meanings, one, title, text) for meanings, one in zip(words, typed, strict=True)]
    found = sum(scores) / len(scores) if scores else IN_TEXT
    together = TOGETHER if len(typed) > 1 and " ".join(typed) in " ".join(title) else 0.0
    near = 0.0 if km is None else 1 / (1 + km / HALF_NEAR_KM)
    return Why(min(1.0, found + together), near, exp(-LN2 * max(age_days, 0.0) / HALF_FRESH_DAYS))


def _word(meanings: Sequence[str], typed: str, title: Sequence[str], text: Sequence[str]) -> float:
    """The best place and way a word stands in it."""
    best = 0.0
    for place, weight in ((title, IN_TITLE), (text, IN_TEXT)):
        if typed in place:
            best = max(best, weight * WHOLE)
        elif any(word.startswith(typed) for word in place):
            best = max(best, weight * BEGINNING)
        elif any(word.startswith(meaning) for meaning in meanings for word in place):
            best = max(best, weight * (BEGINNING if typed.startswith(tuple(meanings)) else NEIGHBOUR))
    return best


def age_in_days(moment: datetime, now: datetime) -> float:
    """How long ago."""
    return (now - moment).total_seconds() / 86_400
