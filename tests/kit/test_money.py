"""Money is exact or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.database.prices import rank_from
from marketplace.kit.money import CURRENCIES, LARGEST_MINOR, Money, MoneyError, exponent, share, to_major


@given(st.integers(0, LARGEST_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_minor_to_major_and_back_is_exact(minor: int, currency: str) -> None:
    assert Money.of(Money(minor, currency).exact, currency) == Money(minor, currency)


@given(st.integers(0, 10**14), st.sampled_from(sorted(CURRENCIES)))
def test_the_json_number_reads_back_as_the_same_amount(minor: int, currency: str) -> None:
    assert Money.of(Decimal(repr(to_major(minor, currency))), currency).minor == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.001", "EUR"),
        ("0.5", "JPY"),
        ("0.0001", "KWD"),
        ("-1", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("1e300", "EUR"),
        (str(2**63), "EUR"),
        ("ten", "EUR"),
        ("1", "XXX"),
    ],
)
def test_what_no_account_could_hold_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.of(amount, currency)


def test_currencies_have_their_own_decimals() -> None:
    assert [exponent(currency) for currency in ("JPY", "EUR", "KWD")] == [0, 2, 3]
    assert Money.of("1.234", "KWD").minor == 1234


def test_a_filters_bound_never_excludes_a_price_it_names() -> None:
    assert rank_from(Decimal("99.99"), at_least=True) == rank_from(Decimal("99.99"), at_least=False) == 99_990
    assert rank_from(Decimal("0.0001"), at_least=True) == 1


@given(st.integers(0, 10**16), st.lists(st.integers(0, LARGEST_MINOR), min_size=1, max_size=9).filter(any))
def test_shares_sum_to_the_total_and_miss_the_exact_part_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = share(total, weights)

    assert sum(parts) == total
    whole = sum(weights)
    exact = [total * weight for weight in weights]
    assert all(abs(part * whole - wanted) < whole for part, wanted in zip(parts, exact, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [1, 1], [1, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [1, 2], [3, 7]),
        (0, [5, 5], [0, 0]),
        (7, [0, 3, 0], [0, 7, 0]),
        (10**14, [90, 10], [9 * 10**13, 10**13]),
        (10**14 + 1, [10**14, 1], [10**14, 1]),
    ],
)
def test_what_is_left_over_goes_to_the_largest_fraction_then_to_the_earlier(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert share(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1]), (0, [0])])
def test_what_cannot_be_shared_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be shared"):
        share(total, weights)
