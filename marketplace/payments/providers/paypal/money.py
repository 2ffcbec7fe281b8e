"""Our minor units and PayPal's decimal strings.

From https://developer.paypal.com/api/rest/reference/currency-codes/: these currencies and no others; HUF, JPY and TWD
take no decimals ("if you pass a decimal amount, an error occurs"), though ISO 4217 gives HUF and TWD two.

Apart from the rooms: a gateway's part: units of money.
"""

from decimal import Decimal
from typing import Any

from marketplace.kit.money import exponent
from marketplace.payments.providers.provider import Refused

WHOLE = frozenset("HUF JPY TWD".split())
CURRENCIES = WHOLE | frozenset(
    "AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split()
)


def to_paypal(minor: int, currency: str) -> str:
    """9999, EUR → "99.99"; raises Refused for what PayPal cannot take."""
    if currency not in CURRENCIES:
        raise Refused(f"PayPal takes no {currency}.", "currency_not_supported")
    amount = Decimal(minor).scaleb(-exponent(currency))
    if currency not in WHOLE:
        return f"{amount:.2f}"
    if amount != amount.to_integral_value():
        raise Refused(f"PayPal takes whole {currency} only.", "fraction")
    return f"{amount:.0f}"


def step(currency: str) -> int:
    """The smallest part of ours that PayPal takes; 0 for a currency it does not take."""
    if currency not in CURRENCIES:
        return 0
    return int(10 ** exponent(currency)) if currency in WHOLE else 1


def from_paypal(value: str, currency: str) -> int:
    """Ours, exactly."""
    return int(Decimal(value).scaleb(exponent(currency)))


def money(minor: int, currency: str) -> dict[str, str]:
    """As every version of its API but the Payouts has it."""
    return {"currency_code": currency, "value": to_paypal(minor, currency)}


def minor_of(amount: dict[str, Any]) -> int:
    """The way back."""
    return from_paypal(amount["value"], amount["currency_code"])
