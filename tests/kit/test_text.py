"""Folding, splitting, escaping."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.kit.text import (
    contains,
    is_storable,
    is_word,
    join_links,
    join_list,
    phrase,
    search_text,
    spellings,
    split_list,
    terms,
    unescaped,
    words,
)
from marketplace.kit.unicode_fold import fold


@pytest.mark.parametrize(("typed", "folded"), [("Rīga", "riga"), ("Ёлка", "елка"), ("STRASSE", "strasse"), ("ß", "ss")])
def test_accents_and_capitals_fold_away(typed: str, folded: str) -> None:
    assert fold(typed) == folded


def test_operators_of_both_engines_are_only_text() -> None:
    assert words('red "bike" OR (x* & !y) NEAR/2 a:b_c') == ["red", "bike", "or", "x", "y", "near", "2", "a", "b", "c"]


def test_a_list_or_a_string_with_commas_is_the_same() -> None:
    assert split_list("a, b,,a") == split_list(["a", " b ", "", "a"]) == ["a", "b"]


def test_a_comma_in_a_url_does_not_split_it_for_clients() -> None:
    assert split_list(join_links(["https://a/b,c.jpg", "/d"])) == ["https://a/b%2Cc.jpg", "/d"]


@pytest.mark.parametrize("value", ["c%2Cd", "c%2cd", "c,d", "%252C", "%25%2C,", "100%,%2C25", "%2%2C", "%25"])
def test_a_value_comes_back_as_it_was(value: str) -> None:
    assert [unescaped(part) for part in split_list(join_list([value, "x"]))] == [value, "x"]


def test_wildcards_typed_by_people_are_escaped() -> None:
    assert contains("50%_\\") == "%50\\%\\_\\\\%"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_no_database_stores_is_known(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize(
    "piece", ["'", "-", "a-", "a'", "1a", "1x", "c+", "+", ".net", "自", "เ", "가", "\u0301", "ﷺ", "1×", "a.js"]
)
def test_words_of_a_long_text_are_read_in_linear_time(piece: str) -> None:
    for read in (search_text, terms, phrase, lambda text: list(spellings(text))):
        short, long = _seconds(read, piece * 4_000), _seconds(read, piece * 16_000)
        assert long < 0.02 + 12 * short, (read, short, long)


def _seconds(read: Callable[[str], Any], text: str) -> float:
    """The best of a few: other tests use the processor too."""
    best = 10.0
    for _ in range(3):
        begun = time.process_time()
        read(text)
        best = min(best, time.process_time() - begun)
    return best


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_folding_is_done_once_and_words_stand_in_their_text(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    said = f" {search_text(text)} "
    assert all(term.stands_in(said) for term in terms(text))
    assert not phrase(text) or f" {' '.join(phrase(text))}" in said
    assert all(is_word(word) and len(word) <= 100 for word in said.split())
