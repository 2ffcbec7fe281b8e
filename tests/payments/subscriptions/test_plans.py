"""Plans as data: what is wrong in a file is named."""

from pathlib import Path

import pytest

from marketplace.payments.subscriptions.plans import BadFile, load

GOOD = """
[[plan]]
key = "one"
name = {en = "One", lv = "Viens", ru = "Один"}
amount = {EUR = "9.90", JPY = "1200"}
interval = "month"
unlocks = ["featured"]
grace_days = 3
"""


def read(tmp_path: Path, content: str) -> object:
    file = tmp_path / "plans.toml"
    file.write_text(content, encoding="utf-8")
    return load(file)


def test_the_shipped_plans_are_good() -> None:
    assert list(load(None)) == ["client-hunter", "premium"]


def test_amounts_are_minor_units(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(GOOD, encoding="utf-8")
    plan = load(file)["one"]
    assert plan.amount == {"EUR": 990, "JPY": 1200}
    assert (plan.currency_for("JPY"), plan.currency_for("USD"), plan.offered) == ("JPY", "EUR", True)


WRONG = {
    "key: letters": ('key = "one"', 'key = "a b"'),
    "key: ": ('key = "one"', "key = 1"),
    "name: ": (', ru = "Один"', ""),
    "name: a text": ('"Viens"', '" "'),
    "more than nothing": ('"9.90"', '"0"'),
    "in quotes": ('"9.90"', "9.90"),
    "at most 2 decimals": ('"9.90"', '"9.901"'),
    "at most 0 decimals": ('"1200"', '"12.5"'),
    "not a currency": ("EUR", "ABC"),
    "cannot be negative": ('"9.90"', '"-1"'),
    "interval: one of": ('"month"', '"week"'),
    "unlocks: a list of": ('["featured"]', '["everything"]'),
    "unlocks: a list": ('["featured"]', '"featured"'),
    "grace_days: a whole number": ("grace_days = 3", "grace_days = -1"),
    "grace_days: missing": ("grace_days = 3", ""),
    "colour: there is no such field": ("grace_days = 3", 'grace_days = 3\ncolour = "red"'),
    "offered: true or false": ("grace_days = 3", 'grace_days = 3\noffered = "no"'),
    "two plans are called one": (GOOD, GOOD + GOOD),
    "nothing else": ("[[plan]]", "[plan]"),
    "amount: ": ('{EUR = "9.90", JPY = "1200"}', "{}"),
}


@pytest.mark.parametrize("says", WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, says: str) -> None:
    before, after = WRONG[says]
    assert before in GOOD
    with pytest.raises(BadFile) as error:
        read(tmp_path, GOOD.replace(before, after))
    assert says in str(error.value)
    assert "plans.toml" in str(error.value)


@pytest.mark.parametrize("content", ["plan = ", "[[plans]]\n", "x = 1\n" + GOOD])
def test_what_is_no_such_file_is_said(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadFile, match=r"plans\.toml"):
        read(tmp_path, content)
    with pytest.raises(BadFile, match="missing"):
        load(tmp_path / "missing.toml")
