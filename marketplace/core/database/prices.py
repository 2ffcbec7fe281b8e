"""Money columns that two currencies can be sorted and filtered by: thousandths of the major unit."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.money import NO_DECIMALS, THREE_DECIMALS, Money, MoneyError


class PriceChanged(Conflict):
    """409: the price is another one than whoever pays named."""

    code = "price_changed"
    sentence = "The price has changed. Load it again, and name the price you agree to."

    @classmethod
    def between(cls, said: str, minor: int | None, currency: str) -> "PriceChanged":
        """Both prices: what was `said` ("You named 20.00 EUR"), and what it is now."""
        price = "no price is agreed on" if minor is None else f"the price is {Money(minor, currency).exact} {currency}"
        sentence = f"{said}, and {price} now. Load it again, and name the price you agree to."
        return cls(sentence, errors={"price": [sentence]})


def demand_price(named: Decimal | None, minor: int | None, currency: str, *, in_currency: str | None = None) -> None:
    """Nobody pays another price than the one they named, if they named one (`in_currency`, if they said so); raises
    PriceChanged (409), Invalid (422)."""
    if named is None:
        return
    paid_in = in_currency or currency
    said = minor_units("price", named, paid_in) or 0
    if (said, paid_in) != (minor, currency):
        raise PriceChanged.between(f"You named {Money(said, paid_in).exact} {paid_in}", minor, currency)


def demand_agreement(
    named: Decimal | None, minor: int | None, currency: str, *, in_currency: str | None, usual: str
) -> None:
    """Where money is charged or held whoever pays names the price, and the currency where it is not their `usual` one:
    20 EUR are not 20 KWD. Raises PriceChanged (409), Invalid (422)."""
    costs = f": this costs {Money(minor, currency).exact} {currency}" if minor else ""
    if named is None:
        raise Invalid.field("price", f"Name the price you agree to pay{costs}.")
    if in_currency is None and currency != usual:
        raise Invalid.field("currency", f"Name the currency too: this is paid in {currency} and not in {usual}.")
    demand_price(named, minor, currency, in_currency=in_currency)


def rank_sql(minor: str, currency: str = "currency") -> str:
    """The expression of a generated column: 99.99 EUR → 99990, 500 JPY → 500000, nothing → −1."""
    none, three = (", ".join(f"'{c}'" for c in sorted(s)) for s in (NO_DECIMALS, THREE_DECIMALS))
    scaled = f"CASE WHEN {currency} IN ({none}) THEN {minor} * 1000 WHEN {currency} IN ({three}) THEN {minor} "
    return f"CASE WHEN {minor} IS NULL THEN -1 ELSE {scaled}ELSE {minor} * 10 END END"


def rank_from(major: Decimal | None, *, at_least: bool) -> int | None:
    """A filter's bound in the same thousandths, rounded so that it excludes nothing it should not."""
    if major is None:
        return None
    return int((major * 1000).to_integral_value(ROUND_CEILING if at_least else ROUND_FLOOR))


def rank_bounds(name: str, least: Decimal | None, most: Decimal | None) -> dict[str, int | None]:
    """Both bounds as a list's filters name them: price → price_from, price_to."""
    return {f"{name}_from": rank_from(least, at_least=True), f"{name}_to": rank_from(most, at_least=False)}


def minor_units(field: str, major: Decimal | int | None, currency: str) -> int | None:
    """Minor units of what a client sent; raises Invalid (422) naming `field`."""
    if major is None:
        return None
    try:
        return Money.of(major, currency).minor
    except MoneyError as error:
        raise Invalid.field(field, str(error)) from None


def edited(field: str, sent: Decimal | None, kept: Money | None, currency: str) -> int | None:
    """Minor units after an edit: what was sent, or the same amount in the edit's currency."""
    if sent is None and kept is not None:
        return kept.minor if kept.currency == currency else minor_units(field, kept.exact, currency)
    return minor_units(field, sent, currency)


def kept_money(minor: int | None, currency: str) -> Money | None:
    """A nullable amount of minor units as Money; None where there is no price."""
    return None if minor is None else Money(minor, currency)
