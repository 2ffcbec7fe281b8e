"""How a list divides by some of its columns, added up from how many rows have each combination of their values."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class FacetRow(Protocol):
    """How many rows have this combination of values, which are columns by their names, and their amounts."""

    currency: str
    count: int
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Of one currency: how many rows, the least and the most that is asked, in minor units."""

    currency: str
    count: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many rows by value of each column, and amounts by currency, the most frequent first."""

    total: int
    values: dict[str, list[tuple[str, int]]]
    amounts: list[AmountRange]


def add_up(rows: list[FacetRow], by: Iterable[str]) -> Facets:
    """The facets of these columns; of a column of lists each value counts."""
    return Facets(sum(row.count for row in rows), {name: _values(rows, name) for name in by}, _amounts(rows))


def _values(rows: list[FacetRow], name: str) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for row in rows:
        value = getattr(row, name)
        for one in filter(None, dict.fromkeys(value) if isinstance(value, list) else (value,)):
            counts[one] += row.count
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _amounts(rows: list[FacetRow]) -> list[AmountRange]:
    counts: Counter[str] = Counter()
    ends: dict[str, list[int]] = {}
    for row in rows:
        counts[row.currency] += row.count
        if row.least is not None and row.most is not None:
            ends.setdefault(row.currency, []).extend((row.least, row.most))
    found = [AmountRange(currency, counts[currency], min(some), max(some)) for currency, some in ends.items()]
    return sorted(found, key=lambda one: (-one.count, one.currency))
