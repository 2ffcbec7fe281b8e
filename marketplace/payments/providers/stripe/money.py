"""Our minor units and Stripe's, which are not always the same.

From https://docs.stripe.com/currencies (zero-decimal and three-decimal currencies, special cases), read in 2026: MGA is
zero-decimal at Stripe though ISO 4217 gives it two; ISK and UGX are zero-decimal by ISO but go over the wire with two
decimals that are always 00 (UGX stands in Stripe's zero-decimal list too: the special case decides); the last digit of
a three-decimal amount has to be 0, in refunds as well; HUF and TWD are charged with two decimals, paid out without any.

Apart from the rooms: a gateway's part: units of money.
"""

from marketplace.kit.money import exponent
from marketplace.payments.providers.provider import Refused

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
WITH_A_THIRD_DECIMAL_ELSEWHERE = frozenset("IQD LYD".split())
PAID_OUT_WHOLE = frozenset("HUF TWD".split())


def to_stripe(minor: int, currency: str) -> int:
    """What Stripe is to be told; raises Refused for an amount it cannot take."""
    if currency in WITH_A_THIRD_DECIMAL_ELSEWHERE:
        raise Refused(f"Stripe takes no {currency}.", "currency_not_supported")
    amount, rest = divmod(minor * _scale(currency), int(10 ** exponent(currency)))
    if rest:
        raise Refused(f"Stripe takes whole {currency} only.", "fraction")
    if currency in THREE_DECIMAL and amount % 10:
        raise Refused(f"Stripe takes {currency} in steps of 0.010 only.", "fraction")
    return amount


def to_be_paid_out(minor: int, currency: str) -> int:
    """The same for money that goes to a payee; raises Refused."""
    amount = to_stripe(minor, currency)
    if currency in PAID_OUT_WHOLE and amount % 100:
        raise Refused(f"Stripe pays out whole {currency} only.", "fraction")
    return amount


def step(currency: str, *, paid_out: bool = False) -> int:
    """The smallest part of ours that Stripe takes, or pays out; 0 for a currency it does not take."""
    unit = int(10 ** exponent(currency))
    if currency in WITH_A_THIRD_DECIMAL_ELSEWHERE:
        return 0
    if currency in THREE_DECIMAL:
        return 10
    return unit if currency in ZERO_DECIMAL or (paid_out and currency in PAID_OUT_WHOLE) else 1


def from_stripe(amount: int, currency: str) -> int:
    """Ours; a fraction we have no unit for (a prorated ISK) goes to the nearest unit."""
    scale = _scale(currency)
    return (amount * int(10 ** exponent(currency)) + scale // 2) // scale


def _scale(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 1
    return 1000 if currency in THREE_DECIMAL else 100
