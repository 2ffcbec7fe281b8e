"""Money: an integer of minor units and an ISO 4217 currency; never a float inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217, list one (2024): the currencies whose minor unit is not a hundredth.
NO_DECIMALS = frozenset(
    """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    """.split()
)
THREE_DECIMALS = frozenset(
    """
    BHD IQD JOD KWD LYD OMR TND
    """.split()
)
TWO_DECIMALS = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD
    YER ZAR ZMW
    """.split()
)
CURRENCIES = NO_DECIMALS | TWO_DECIMALS | THREE_DECIMALS
LARGEST_MINOR = 10**14


class MoneyError(ValueError):
    """An amount that no account could hold; the message is a sentence for a person."""


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has: 0, 2 or 3."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, fils) of one currency."""

    minor: int
    currency: str

    @classmethod
    def of(cls, major: Decimal | int | str, currency: str) -> "Money":
        """From major units ("99.99", "EUR"); raises MoneyError when not exact or not sane."""
        if currency not in CURRENCIES:
            raise MoneyError(f"{currency} is not a currency this marketplace knows.")
        minor = _exact_minor(major, exponent(currency), currency)
        if minor < 0:
            raise MoneyError("An amount cannot be negative.")
        if minor > LARGEST_MINOR:
            raise MoneyError(f"This amount is too large: at most {cls(LARGEST_MINOR, currency).exact} {currency}.")
        return cls(minor, currency)

    @property
    def exact(self) -> Decimal:
        """The amount in major units, as a Decimal of the currency's digits."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))


def to_major(minor: int, currency: str) -> float:
    """For JSON only: 9999, EUR → 99.99. Exact to the printed digit below 10^15."""
    return float(Decimal(minor).scaleb(-exponent(currency)))


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts in the proportion of the weights that sum to the total exactly, by the largest remainder:
    what rounding down leaves over goes, one each, to the largest fractions, of equal ones to the earlier."""
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError(f"{total} cannot be shared by the weights {list(weights)}")
    parts, rests = zip(*(divmod(total * weight, whole) for weight in weights), strict=True)
    largest_first = sorted(range(len(weights)), key=lambda place: -rests[place])
    lucky = set(largest_first[: total - sum(parts)])
    return [part + (place in lucky) for place, part in enumerate(parts)]


def _exact_minor(major: Decimal | int | str, decimals: int, currency: str) -> int:
    try:
        amount = Decimal(major)
    except InvalidOperation:
        raise MoneyError("An amount is a plain number such as 99.99.") from None
    if not amount.is_finite() or abs(amount.adjusted()) > 30:
        raise MoneyError("An amount is a plain number such as 99.99.")
    scaled = amount.scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise MoneyError(f"{currency} has at most {decimals} decimals.")
    return int(scaled)
