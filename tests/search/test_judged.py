"""A hundred and more judged queries: how well the search finds what was meant, the same on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.search.judged.judging import ndcg
from tests.search.judged.measuring import Answer, mean, measure_set_a, measure_town

# A little under what is measured (0.93, 0.93).
TOWN, SET_A = 0.91, 0.9
ALIKE = 0.9  # the worse database to the better


def _both(apps: dict[str, Flask], measure: Callable[[Flask], list[Answer]]) -> dict[str, float]:
    return {kind: round(mean(measure(app)), 4) for kind, app in apps.items()}


def _is_good(means: dict[str, float], floor: float) -> None:
    print(means)
    assert {kind: found for kind, found in means.items() if found < floor} == {}
    assert min(means.values()) / max(means.values()) >= ALIKE, means


def test_the_town_is_searched_well_on_both_databases(apps: dict[str, Flask]) -> None:
    _is_good(_both(apps, measure_town), TOWN)


def test_real_data_are_searched_well_on_both_databases(apps: dict[str, Flask], set_a: Path) -> None:
    _is_good(_both(apps, lambda app: measure_set_a(app, set_a)), SET_A)


@pytest.mark.parametrize(
    ("found", "judged", "score"),
    [
        ([3, 2, 1], [1, 2, 3], 1.0),
        ([0, 3], [3], 0.6309),
        ([], [3], 0.0),
        ([3] * 10, [3] * 40, 1.0),
        ([2, 3], [3, 2], 0.8340),
        ([], [], 1.0),
        ([0], [], 0.0),
    ],
)
def test_the_measure_is_the_one_of_the_books(found: list[int], judged: list[int], score: float) -> None:
    assert ndcg(found, judged) == pytest.approx(score, abs=0.0001)
