"""What the marketplace keeps: nothing is lost, nothing is made, and the rules say what they mean."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit.money import LARGEST_MINOR, share
from marketplace.payments.fees.service import BadFile, Quote, QuoteLine, Rule, Rules, load, percent_of, quote

NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)
STANDARD = '[[rule]]\nname = "standard"\npercent = "10"\n'
MINOR = st.integers(0, LARGEST_MINOR)
PERCENTS = st.decimals(0, 100, places=3)
BY_CURRENCY = st.fixed_dictionaries({}, optional={code: st.integers(0, 10_000) for code in ("EUR", "JPY", "KWD")})
Write = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "fees.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _asked(rules: Rules, price: int = 10_000, **changes: Any) -> Quote:
    asked = {"currency": "EUR", "category": "repairs", "seller_id": 7, "at": NOW, **changes}
    return quote(rules, price_minor=price, **asked)


def _only(**fields: Any) -> Rules:
    return Rules((Rule(name="only", **{"percent": Decimal(10), **fields}),))


def _divided(found: Quote) -> tuple[int, int, int]:
    return found.fee_minor, found.tax_minor, found.payee_minor


def test_ten_percent_are_shipped() -> None:
    assert _asked(load(None)) == Quote(
        10_000, 0, 1_000, 0, 9_000, "EUR", (QuoteLine("repairs", 10_000, 1_000, 0, "standard"),)
    )
    assert load(None).standard.percent == 10


@given(
    price=MINOR,
    discount=st.integers(0, 100),
    percent=PERCENTS,
    tax=PERCENTS,
    fixed=BY_CURRENCY,
    minimum=BY_CURRENCY,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    before=st.booleans(),
)
def test_whatever_the_rule_the_parts_sum_to_what_is_paid(
    price: int, discount: int, percent: Decimal, tax: Decimal, fixed: Any, minimum: Any, currency: str, before: bool
) -> None:
    rules = _only(percent=percent, tax_percent=tax, fixed=fixed, minimum=minimum, before_discount=before)

    found = _asked(rules, price, discount_minor=price * discount // 100, currency=currency)

    assert found.amount_minor + found.discount_minor == price
    assert sum(_divided(found)) == found.amount_minor
    assert min(_divided(found)) >= 0


@given(price=st.integers(1, LARGEST_MINOR), percent=PERCENTS, tax=PERCENTS, part=st.integers(0, 10_000))
def test_a_part_of_the_amount_divides_as_the_whole(price: int, percent: Decimal, tax: Decimal, part: int) -> None:
    whole = _asked(_only(percent=percent, tax_percent=tax), price)
    amount = price * part // 10_000

    quoted = (whole.payee_minor, whole.fee_minor, whole.tax_minor)
    divided = share(amount, quoted)  # as a release does it

    assert sum(divided) == amount
    assert min(divided) >= 0
    ideal = [amount * each / Decimal(price) for each in quoted]
    assert all(abs(got - wanted) <= 1 for got, wanted in zip(divided, ideal, strict=True))
    assert tuple(share(price, quoted)) == quoted


@given(MINOR, PERCENTS)
def test_percentages_round_half_up(amount: int, percent: Decimal) -> None:
    exact = (amount * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)

    assert percent_of(amount, percent) == exact


@pytest.mark.parametrize(
    ("price", "percent", "fee"),
    [
        (1, "10", 0),
        (4, "10", 0),
        (5, "10", 1),
        (1, "50", 1),
        (1, "49.999999", 0),
        (14, "2.9", 0),
        (18, "2.9", 1),
        (10**14 - 1, "10", 10**13),
        (10**14 - 5, "10", 10**13),
        (10**14 - 6, "10", 10**13 - 1),
        (10**14, "0.000001", 10**6),
        (10**14, "100", 10**14),
    ],
)
def test_a_cent_and_a_trillion_are_counted_as_exactly(price: int, percent: str, fee: int) -> None:
    assert _asked(_only(percent=Decimal(percent)), price).fee_minor == fee


@pytest.mark.parametrize(
    ("currency", "fixed", "minor"), [("EUR", "0.30", 30), ("JPY", "30", 30), ("KWD", "0.305", 305), ("USD", "0", 0)]
)
def test_a_fixed_part_has_the_decimals_of_its_currency(written: Write, currency: str, fixed: str, minor: int) -> None:
    rules = load(written(f'[[rule]]\nname = "card"\npercent = "2.9"\nfixed = {{{currency} = "{fixed}"}}'))

    assert _asked(rules, 10_000, currency=currency).fee_minor == 290 + minor
    assert _asked(rules, 10_000, currency="GBP").fee_minor == 290


def test_a_fee_never_exceeds_what_is_paid() -> None:
    assert _divided(_asked(_only(fixed={"EUR": 30}), 1)) == (1, 0, 0)
    assert _divided(_asked(_only(minimum={"EUR": 500}), 200)) == (200, 0, 0)


def test_fee_and_tax_above_what_is_paid_divide_it_in_their_proportion() -> None:
    found = _asked(_only(percent=Decimal(95), tax_percent=Decimal(21)), 10_000)

    assert _divided(found) == (8_264, 1_736, 0)
    assert _divided(_asked(_only(percent=Decimal(100), tax_percent=Decimal(100)), 1)) == (1, 0, 0)


def test_tax_is_counted_on_the_fee_and_kept_apart() -> None:
    assert _divided(_asked(_only(tax_percent=Decimal(21)))) == (1_000, 210, 8_790)


@pytest.mark.parametrize(("price", "fee"), [(100, 50), (500, 50), (1_000, 100), (3_000, 300), (9_000, 300)])
def test_a_fee_has_a_floor_and_a_ceiling(price: int, fee: int) -> None:
    assert _asked(_only(minimum={"EUR": 50}, maximum={"EUR": 300}), price).fee_minor == fee
    assert _asked(_only(minimum={"USD": 50}, maximum={"USD": 300}), price).fee_minor == price // 10


@pytest.mark.parametrize(("before", "fee"), [(False, 500), (True, 1_000)])
def test_a_discount_lowers_the_fee_unless_the_rule_says_otherwise(before: bool, fee: int) -> None:
    found = _asked(_only(before_discount=before), 10_000, discount_minor=5_000)

    assert found == Quote(5_000, 5_000, fee, 0, 5_000 - fee, "EUR", (QuoteLine("repairs", 5_000, fee, 0, "only"),))


def test_a_fee_on_the_whole_price_stops_at_what_is_paid() -> None:
    assert _divided(_asked(_only(before_discount=True), 10_000, discount_minor=9_500)) == (500, 0, 0)
    assert _divided(_asked(_only(before_discount=True), 10_000, discount_minor=10_000)) == (0, 0, 0)


@pytest.mark.parametrize(("price", "discount"), [(100, 101), (100, -1), (-1, 0)])
def test_a_discount_is_between_nothing_and_the_price(price: int, discount: int) -> None:
    with pytest.raises(ValueError, match="is no discount"):
        _asked(_only(), price, discount_minor=discount)


SPECIFIC = """
[[rule]]
name = "partner"
percent = "5"
sellers = [7, 8]
categories = ["moving"]

[[rule]]
name = "movers"
percent = "8"
categories = ["moving", "transport"]

[[rule]]
name = "christmas"
percent = "0"
from = 2026-12-24
until = 2026-12-26T20:00:00+02:00

"""


@pytest.mark.parametrize(
    ("category", "seller", "rule"),
    [
        ("moving", 7, "partner"),
        ("moving", 9, "movers"),
        ("moving", None, "movers"),
        ("transport", 7, "movers"),
        ("repairs", 7, "standard"),
        (None, None, "standard"),
    ],
)
def test_the_first_rule_that_fits_counts(written: Write, category: str | None, seller: int | None, rule: str) -> None:
    assert _asked(load(written(SPECIFIC + STANDARD)), category=category, seller_id=seller).lines[0].rule == rule


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        (datetime(2026, 12, 23, 23, 59, 59, 999999, UTC), "standard"),
        (datetime(2026, 12, 24, tzinfo=UTC), "christmas"),
        (datetime(2026, 12, 24, 1, tzinfo=timezone(timedelta(hours=2))), "standard"),
        (datetime(2026, 12, 26, 17, 59, 59, 999999, UTC), "christmas"),
        (datetime(2026, 12, 26, 18, tzinfo=UTC), "standard"),
    ],
)
def test_a_promotion_begins_with_its_first_moment_and_ends_before_its_last(
    written: Write, at: datetime, rule: str
) -> None:
    assert _asked(load(written(SPECIFIC + STANDARD)), at=at).lines[0].rule == rule


def test_a_moment_without_a_zone_is_utc(written: Write) -> None:
    text = '[[rule]]\nname = "now"\npercent = "1"\nfrom = 2026-12-15T12:00:00\n' + STANDARD

    assert _asked(load(written(text)), at=NOW).lines[0].rule == "now"
    assert _asked(load(written(text)), at=NOW - timedelta(microseconds=1)).lines[0].rule == "standard"


def test_a_file_is_read_once(written: Write) -> None:
    path = written(STANDARD)
    assert load(path) is load(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('percent = "101"', "percent must be a number"),
        ('percent = "-1"', "percent must be a number"),
        ('percent = "1e1"', "percent must be a number"),
        ('percent = "ten"', "percent must be a number"),
        ("percent = 2.9", "percent must be a number"),
        ('percent = "1"\ntax_percent = true', "tax_percent must be a number"),
        ('percent = "1"\nfixed = "0.30"', "fixed must be a table"),
        ('percent = "1"\nfixed = {EUR = 0.3}', "fixed must be a table"),
        ('percent = "1"\nfixed = {EUR = "0.301"}', "fixed holds what is no amount: EUR has at most 2 decimals"),
        ('percent = "1"\nfixed = {EUR = "-1"}', "fixed holds what is no amount"),
        ('percent = "1"\nfixed = {XXX = "1"}', "fixed holds what is no amount: XXX is not a currency"),
        ('percent = "1"\nminimum = {EUR = "2"}\nmaximum = {EUR = "1"}', "maximum must not be below the minimum"),
        ('percent = "1"\nbefore_discount = "yes"', "before_discount must be true or false"),
        ('percent = "1"\ncategories = []', "categories must be a list"),
        ('percent = "1"\ncategories = "moving"', "categories must be a list"),
        ('percent = "1"\nsellers = ["7"]', "sellers must be a list"),
        ('percent = "1"\nsellers = [true]', "sellers must be a list"),
        ('percent = "1"\nfrom = "2026-12-24"', "from must be a date"),
        ('percent = "1"\nfrom = 0001-01-01T00:00:00+14:00', "from "),
        ('percent = "1"\nfrom = 2026-12-24\nuntil = 2026-12-24', "until must be after from"),
        ('percent = "1"\ncategory = "moving"', "category is not a field"),
        ('tax_percent = "21"', "name and percent are needed"),
    ],
)
def test_nonsense_is_refused_with_its_rule_and_field(written: Write, line: str, says: str) -> None:
    with pytest.raises(BadFile) as refused:
        load(written(f'[[rule]]\nname = "odd"\n{line}\n{STANDARD}'))

    assert f"fees.toml: rule 1 ('odd'): {says}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no"),
        ("rule = 1", "there is no"),
        ("rule = [1]", "rule 1: not a table"),
        ("[[rule]", "fees.toml: "),
        ('[[rule]]\nname = ""\npercent = "1"', "name must be a text"),
        (SPECIFIC, "the last rule, and only it"),
        (STANDARD + '[[rule]]\nname = "other"\npercent = "1"', "the last rule, and only it"),
        ('[[rule]]\nname = "standard"\npercent = "1"\nsellers = [1]\n' + STANDARD, "the same name"),
    ],
)
def test_a_file_that_decides_nothing_is_refused(written: Write, text: str, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        load(written(text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"):
        load(tmp_path / "fees.toml")
