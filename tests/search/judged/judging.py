"""Queries as people type them, and how well each thing on offer answers them: 3 is exactly what was meant, 2 good,
1 hardly, everything else 0. They are written by reading the data, not what the search finds of it."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

from marketplace.kit.geo import distance_km

HERE = Path(__file__).parent
DEPTH = 10
GRADES = (3, 2, 1)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something a search can find: `text` is all that is written there, `path` its category and those above."""

    type: str
    id: int
    title: str
    text: str
    path: tuple[str, ...] = ()
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What has a grade: one exact title, or all these patterns in title and text, and `but` not in the title."""

    exact: str | None
    title: tuple[re.Pattern[str], ...] = ()
    text: tuple[re.Pattern[str], ...] = ()
    but: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def read(cls, raw: str | dict[str, str | list[str]]) -> "Rule":
        """As it stands in a file."""
        if isinstance(raw, str):
            return cls(raw)
        return cls(None, **{where: _patterns(said) for where, said in raw.items()})

    def fits(self, thing: Thing) -> bool:
        """Whether it is meant."""
        if self.exact is not None:
            return self.exact == thing.title
        return (
            all(pattern.search(thing.title) for pattern in self.title)
            and not any(pattern.search(thing.title) for pattern in self.but)
            and all(pattern.search(thing.text) for pattern in self.text)
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of `GET /api/search`, and the rules that grade the answer."""

    asked: dict[str, Any]
    rules: dict[int, list[Rule]]

    def __str__(self) -> str:
        narrowed = (f"{name}={value}" for name, value in self.asked.items() if name != "q")
        return " ".join([self.asked["q"], *narrowed])

    def grades(self, things: Iterable[Thing]) -> dict[tuple[str, int], int]:
        """The best grade of each thing that is relevant; a rule that fits nothing is a mistake."""
        reachable = [thing for thing in things if self._may_answer(thing)]
        found: dict[tuple[str, int], int] = {}
        for grade in GRADES:
            for rule in self.rules.get(grade, []):
                fitting = [thing for thing in reachable if rule.fits(thing)]
                if not fitting:
                    raise ValueError(f"{self}: a rule of grade {grade} fits nothing: {rule}.")
                for thing in fitting:
                    found.setdefault((thing.type, thing.id), grade)
        return found

    def _may_answer(self, thing: Thing) -> bool:
        """What is of another type or category, or farther away, was not asked for."""
        asked = self.asked
        if thing.type != asked.get("type", thing.type):
            return False
        if "category" in asked and asked["category"] not in thing.path:
            return False
        if "radius" not in asked:
            return True
        here = (asked["latitude"], asked["longitude"])
        return thing.place is not None and distance_km(*here, *thing.place) <= asked["radius"]


def queries(name: str) -> list[Query]:
    """Those of one file."""
    raw = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))["query"]
    return [
        Query(
            {key: value for key, value in one.items() if not key.isdigit()},
            {int(key): _rules(value) for key, value in one.items() if key.isdigit()},
        )
        for one in raw
    ]


def ndcg(found: list[int], judged: Iterable[int]) -> float:
    """Normalized discounted cumulative gain of the first ten: gain 2^grade - 1, discount log2(rank + 1), divided by
    the same of the best order there could be (K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR
    techniques", ACM TOIS 20(4), 2002; the gain as in C. Burges et al., "Learning to rank using gradient descent",
    ICML 2005). Where nothing is relevant, finding nothing is 1 and finding something 0."""
    best = _dcg(sorted(judged, reverse=True))
    return _dcg(found) / best if best else float(not found)


def _dcg(grades: list[int]) -> float:
    return sum((2.0**grade - 1) / log2(rank + 1) for rank, grade in enumerate(grades[:DEPTH], start=1))


def _rules(raw: Any) -> list[Rule]:
    return [Rule.read(one) for one in (raw if isinstance(raw, list) else [raw])]


def _patterns(said: str | list[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(one, re.IGNORECASE) for one in ([said] if isinstance(said, str) else said))
