"""How good the filter is on what people really wrote, a little under what is measured."""

from pathlib import Path

import pytest

from tests.content_filter.measuring import HURTS, WAYS_OUT, rates, scores

# label: precision, recall
FLOORS = {
    "spam": (0.97, 0.8),
    "offensive or hate": (0.985, 0.925),
    "offensive": (0.985, 0.935),
    "hate": (0.85, 0.79),
    "offensive or hate, all agreed": (0.99, 0.95),
}
# texts: finds a hundred texts, at most
HURTS_IN = {"dialogues": 0.1, "listings": 0.3, "flats_riga": 0.05, "stays_reviews": 0.1, "profiles": 0.1}
WAYS_OUT_IN = {"dialogues": 0.1, "flats_riga": 0.05, "stays_reviews": 0.1}


def test_what_people_labelled_is_found(set_a: Path) -> None:
    measured = {one.label: one for one in scores(set_a)}

    print(measured)
    assert measured.keys() == FLOORS.keys()
    assert [label for label, (precision, _) in FLOORS.items() if measured[label].precision < precision] == []
    assert [label for label, (_, recall) in FLOORS.items() if measured[label].recall < recall] == []


@pytest.mark.parametrize(("kinds", "most"), [(HURTS, HURTS_IN), (WAYS_OUT, WAYS_OUT_IN)], ids=["hurts", "ways out"])
def test_ordinary_texts_are_left_alone(set_a: Path, kinds: frozenset[str], most: dict[str, float]) -> None:
    measured = {rate.name: 100 * rate.share(kinds) for rate in rates(set_a)}

    assert {name: found for name, found in measured.items() if found > most.get(name, 100)} == {}
