"""The marketplace's fee on a payment: rules read from TOML once, checked when read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.core.ops.rule_files import BadFile, read_toml, tables
from marketplace.kit.clock import as_utc
from marketplace.kit.money import Money, MoneyError, share

SHIPPED = Path(__file__).with_name("fees.toml")
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fee and the payments it is for; amounts in minor units by currency, empty conditions match all."""

    name: str
    percent: Decimal
    fixed: Mapping[str, int] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)
    tax_percent: Decimal = Decimal(0)
    before_discount: bool = False
    categories: frozenset[str] = frozenset()
    sellers: frozenset[int] = frozenset()
    starts: datetime | None = None
    ends: datetime | None = None

    @property
    def conditional(self) -> bool:
        """Whether it has conditions."""
        return bool(self.categories or self.sellers or self.starts or self.ends)

    def fits(self, *, category: str | None, seller_id: int | None, at: datetime) -> bool:
        """Whether it is for this payment; `ends` itself is outside."""
        return (
            (not self.categories or category in self.categories)
            and (not self.sellers or seller_id in self.sellers)
            and (self.starts is None or self.starts <= at)
            and (self.ends is None or at < self.ends)
        )

    def fee(self, base_minor: int, currency: str) -> int:
        """The fee in minor units, not yet limited by what is paid."""
        raw = percent_of(base_minor, self.percent) + self.fixed.get(currency, 0)
        least = max(raw, self.minimum.get(currency, 0))
        return min(least, self.maximum.get(currency, least))


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, most specific first."""

    rules: tuple[Rule, ...]

    @property
    def standard(self) -> Rule:
        """The rule without conditions."""
        return self.rules[-1]

    def rule_for(self, *, category: str | None, seller_id: int | None, at: datetime) -> Rule:
        """The first rule that matches; the standard one always does."""
        return next(rule for rule in self.rules if rule.fits(category=category, seller_id=seller_id, at=at))


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """What one rule takes of one price after discount, in minor units."""

    category: str | None
    price_minor: int
    fee_minor: int
    tax_minor: int
    rule: str


@dataclass(frozen=True, slots=True)
class Quote:
    """amount + subsidy = fee + tax + payee's part, in minor units; the payer pays the amount."""

    amount_minor: int
    discount_minor: int
    fee_minor: int
    tax_minor: int
    payee_minor: int
    currency: str
    lines: tuple[QuoteLine, ...]
    subsidy_minor: int = 0


def together(quotes: Sequence[Quote], *, subsidy_minor: int = 0) -> Quote:
    """The sum of quotes in one currency, of which the marketplace pays the subsidy; ValueError where that is more."""
    names = ("amount_minor", "discount_minor", "fee_minor", "tax_minor", "payee_minor")
    sums = {name: sum(getattr(one, name) for one in quotes) for name in names}
    if not 0 <= subsidy_minor <= sums["amount_minor"]:
        raise ValueError(f"{subsidy_minor} is no subsidy for {sums['amount_minor']}")
    sums["amount_minor"] -= subsidy_minor
    lines = tuple(line for one in quotes for line in one.lines)
    return Quote(**sums, currency=quotes[0].currency, lines=lines, subsidy_minor=subsidy_minor)


def quote(
    rules: Rules,
    *,
    price_minor: int,
    currency: str,
    category: str | None,
    seller_id: int | None,
    discount_minor: int = 0,
    at: datetime,
) -> Quote:
    """What the payer pays and how it divides.

    The percentages are rounded half up to the minor unit, in exact integers: 10 % of 0.05 are 0.01, of 0.04
    nothing. The tax is counted on the rounded fee. A fee above what is paid is cut to it; where only fee and
    tax together are above, they divide what is paid in their proportion. `at` has a time zone.
    """
    if not 0 <= discount_minor <= price_minor:
        raise ValueError(f"{discount_minor} is no discount on {price_minor}")
    rule = rules.rule_for(category=category, seller_id=seller_id, at=at)
    amount = price_minor - discount_minor
    fee = min(rule.fee(price_minor if rule.before_discount else amount, currency), amount)
    tax = percent_of(fee, rule.tax_percent)
    if fee + tax > amount:
        fee, tax = share(amount, [fee, tax])
    line = QuoteLine(category, amount, fee, tax, rule.name)
    return Quote(amount, discount_minor, fee, tax, amount - fee - tax, currency, (line,))


def percent_of(amount_minor: int, percent: Decimal) -> int:
    """Rounded half up to the minor unit."""
    numerator, denominator = percent.as_integer_ratio()
    return (2 * amount_minor * numerator + 100 * denominator) // (200 * denominator)


def load(path: Path | None) -> Rules:
    """The rules of a file, or the shipped ones; raises BadFile."""
    return _read(path or SHIPPED)


@cache
def _read(path: Path) -> Rules:
    rows = tables(read_toml(path), "rule", path)
    read = tuple(_rule(row, f"{path}: rule {place}") for place, row in enumerate(rows, 1))
    _check_order(read, str(path))
    return Rules(read)


def _rule(row: Any, where: str) -> Rule:
    if not isinstance(row, dict):
        raise BadFile(f"{where}: not a table.")
    where = f"{where} ({row.get('name')!r})"
    _need({"name", "percent"} <= row.keys(), where, "name and percent", "are needed")
    rule = Rule(**dict(_fields(row, where)))
    _need(not (rule.starts and rule.ends and rule.ends <= rule.starts), where, "until", "must be after from")
    crossed = [code for code, most in rule.maximum.items() if most < rule.minimum.get(code, 0)]
    _need(not crossed, where, "maximum", "must not be below the minimum")
    return rule


def _fields(row: dict[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        _need(key in FIELDS, where, key, f"is not a field; those are {', '.join(FIELDS)}")
        name, read = FIELDS[key]
        try:
            yield name, read(value)
        except (ValueError, OverflowError) as error:
            raise BadFile(f"{where}: {key} {error}.") from None


def _check_order(rules: tuple[Rule, ...], file: str) -> None:
    if any(rule.conditional == (rule is rules[-1]) for rule in rules):
        raise BadFile(f"{file}: the last rule, and only it, has none of categories, sellers, from and until.")
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise BadFile(f"{file}: two rules have the same name.")


def _need(true: bool, where: str, field: str, says: str) -> None:
    if not true:
        raise BadFile(f"{where}: {field} {says}.")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value


def _percent(value: Any) -> Decimal:
    if not isinstance(value, str) or not PERCENT.fullmatch(value) or Decimal(value) > 100:
        raise ValueError('must be a number from "0" to "100" in quotes')
    return Decimal(value)


def _amounts(value: Any) -> Mapping[str, int]:
    if not isinstance(value, dict) or not all(isinstance(amount, str) for amount in value.values()):
        raise ValueError('must be a table of amounts in quotes, such as {EUR = "0.30"}')
    try:
        return {code: Money.of(amount, code).minor for code, amount in value.items()}
    except MoneyError as error:
        raise ValueError(f"holds what is no amount: {str(error).rstrip('.')}") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _keys(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of keys that is not empty")
    return frozenset(_text(key) for key in value)


def _ids(value: Any) -> frozenset[int]:
    if not isinstance(value, list) or not value or not all(type(one) is int and one > 0 for one in value):
        raise ValueError("must be a list of ids that is not empty")
    return frozenset(value)


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return as_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError("must be a date or a moment, without quotes")


FIELDS = {
    "name": ("name", _text),
    "percent": ("percent", _percent),
    "fixed": ("fixed", _amounts),
    "minimum": ("minimum", _amounts),
    "maximum": ("maximum", _amounts),
    "tax_percent": ("tax_percent", _percent),
    "before_discount": ("before_discount", _flag),
    "categories": ("categories", _keys),
    "sellers": ("sellers", _ids),
    "from": ("starts", _moment),
    "until": ("ends", _moment),
}
