"""Folding, splitting, escaping."""

import pytest

from marketplace.kit.text import contains, fold, is_storable, join_list, split_list, words


@pytest.mark.parametrize(("typed", "folded"), [("Rīga", "riga"), ("Ёлка", "елка"), ("STRASSE", "strasse"), ("ß", "ss")])
def test_accents_and_capitals_fold_away(typed: str, folded: str) -> None:
    assert fold(typed) == folded


def test_operators_of_both_engines_are_only_text() -> None:
    assert words('red "bike" OR (x* & !y) NEAR/2 a:b_c') == ["red", "bike", "or", "x", "y", "near", "2", "a", "b", "c"]


def test_a_list_or_a_string_with_commas_is_the_same() -> None:
    assert split_list("a, b,,a") == split_list(["a", " b ", "", "a"]) == ["a", "b"]


def test_a_comma_in_a_url_does_not_split_it_for_clients() -> None:
    assert split_list(join_list(["https://a/b,c.jpg", "/d"])) == ["https://a/b%2Cc.jpg", "/d"]


def test_wildcards_typed_by_people_are_escaped() -> None:
    assert contains("50%_\\") == "%50\\%\\_\\\\%"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_no_database_stores_is_known(text: str) -> None:
    assert not is_storable(text)
