"""Money is exact or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.prices import rank_from
from marketplace.kit.money import CURRENCIES, LARGEST_MINOR, Money, MoneyError, exponent, to_major


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
