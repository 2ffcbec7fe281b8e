"""The index of slips finds what comparing with every word finds, in the same order."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from marketplace.core.lists.spelling_index import SpellingIndex

WORDS = st.text("abc", min_size=1, max_size=9)


def compared_with_all(words: Iterable[str], typed: str) -> list[str]:
    """One slip in words of four and five letters, two in longer ones; nearest first, then alike in the first letter."""
    slips = 0 if len(typed) < 4 else 1 if len(typed) < 6 else 2
    found = sorted((OSA.distance(typed, word), word[0] != typed[0], word) for word in words)
    return [word for distance, _, word in found if slips and distance <= slips]


def index_of(words: Iterable[str]) -> SpellingIndex:
    """An index of these."""
    index = SpellingIndex()
    index.add(words)
    return index


@settings(max_examples=150, deadline=None)
@given(st.sets(WORDS, max_size=60), st.lists(WORDS, max_size=8))
def test_the_index_finds_what_comparing_with_every_word_finds(words: set[str], typed: list[str]) -> None:
    index = index_of(words)
    for word in [*typed, *words]:
        assert index.near(word, 1000) == compared_with_all(words, word), word


@pytest.mark.parametrize("typed", ["bicycle", "velosipeds", "grāmata"])
def test_every_two_slips_are_found(typed: str) -> None:
    index = index_of([typed])
    for once in slips_of(typed):
        for twice in slips_of(once):
            assert index.near(twice, 4) == compared_with_all([typed], twice), twice


def slips_of(word: str) -> set[str]:
    """Every word one slip away, with an x for whatever letter is wrong."""
    places = range(len(word))
    missing = {word[:at] + word[at + 1 :] for at in places}
    changed = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in places[:-1]}
    wrong = {word[:at] + "x" + word[at + 1 :] for at in places}
    return missing | changed | wrong | {word[:at] + "x" + word[at:] for at in range(len(word) + 1)}


def test_words_are_nearest_first_and_no_more_than_asked_for() -> None:
    index = index_of(["sofa", "sofas", "soda", "toga", "table"])
    assert index.near("sofa", 4) == ["sofa", "soda", "sofas"]
    assert index.near("sofa", 2) == ["sofa", "soda"]
    assert index.near("sof", 4) == []
