"""The plans people can subscribe to: read from TOML once, checked when read.

Apart from the rooms: configuration as data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.core.ops import current_settings
from marketplace.core.ops.rule_files import BadFile, read_toml
from marketplace.kit.money import Money, MoneyError

SHIPPED = Path(__file__).with_name("plans.toml")
LANGUAGES = ("en", "lv", "ru")
INTERVALS = ("month", "year")
START_CONVERSATIONS, FEATURED = "start_conversations", "featured"
BENEFITS = (START_CONVERSATIONS, FEATURED)
KEY = re.compile(r"[A-Za-z0-9_-]{1,30}")
FIELDS = {"key", "name", "amount", "interval", "unlocks", "grace_days", "offered"}
LONGEST_GRACE = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan; prices in minor units by currency."""

    key: str
    name: Mapping[str, str]
    amount: Mapping[str, int]
    interval: str
    unlocks: tuple[str, ...]
    grace_days: int
    offered: bool

    def currency_for(self, preferred: str) -> str:
        """The preferred currency if the plan has a price in it, else its first."""
        return preferred if preferred in self.amount else next(iter(self.amount))

    def name_in(self, language: str) -> str:
        """The name in this language, else in English."""
        return self.name.get(language, self.name["en"])


def all_plans() -> Mapping[str, Plan]:
    """Plans by key, in the order of the file; raises BadFile."""
    return load(current_settings.path("PLANS_FILE", SHIPPED))


def offered() -> list[Plan]:
    """Plans that one can begin."""
    return [plan for plan in all_plans().values() if plan.offered]


def unlocking(benefit: str) -> list[Plan]:
    """Plans with this benefit, also those that are not offered any more."""
    return [plan for plan in all_plans().values() if benefit in plan.unlocks]


def grace_of(key: str) -> timedelta:
    """How long a plan stays when a renewal is declined; zero for an unknown plan."""
    plan = all_plans().get(key)
    return timedelta(days=plan.grace_days if plan else 0)


def title_of(key: str, language: str = "en") -> str:
    """The plan's name; its key for an unknown plan."""
    plan = all_plans().get(key)
    return plan.name_in(language) if plan else key


def load(path: Path | None) -> Mapping[str, Plan]:
    """The plans of a file, or the shipped ones; raises BadFile."""
    return _read(path or SHIPPED)


@cache
def _read(path: Path) -> Mapping[str, Plan]:
    content = read_toml(path)
    rows = content.pop("plan", None)
    if content or not isinstance(rows, list):
        raise BadFile(f"{path}: it holds [[plan]] tables and nothing else")
    plans = [_plan(row, f"{path}: plan {number}") for number, row in enumerate(rows, 1)]
    twice = {plan.key for plan in plans if [one.key for one in plans].count(plan.key) > 1}
    if twice:
        raise BadFile(f"{path}: two plans are called {', '.join(sorted(twice))}")
    return {plan.key: plan for plan in plans}


def _plan(row: Any, where: str) -> Plan:
    _demand(isinstance(row, dict), where, "this is no table")
    key = row.get("key")
    _demand(isinstance(key, str) and bool(KEY.fullmatch(key)), where, "key: letters, digits, - and _, at most 30")
    where = f"{where} ({key})"
    missing, unknown = FIELDS - {"offered"} - row.keys(), row.keys() - FIELDS
    _demand(not missing, where, f"{', '.join(sorted(missing))}: missing")
    _demand(not unknown, where, f"{', '.join(sorted(unknown))}: there is no such field")
    _demand(row["interval"] in INTERVALS, where, f"interval: one of {', '.join(INTERVALS)}")
    grace, is_offered = row["grace_days"], row.get("offered", True)
    whole = type(grace) is int and 0 <= grace <= LONGEST_GRACE
    _demand(whole, where, f"grace_days: a whole number from 0 to {LONGEST_GRACE}")
    _demand(isinstance(is_offered, bool), where, "offered: true or false")
    return Plan(
        key=key,
        name=_names(row["name"], where),
        amount=_amounts(row["amount"], where),
        interval=row["interval"],
        unlocks=_benefits(row["unlocks"], where),
        grace_days=grace,
        offered=is_offered,
    )


def _names(said: Any, where: str) -> Mapping[str, str]:
    whole = isinstance(said, dict) and set(said) == set(LANGUAGES)
    _demand(whole and all(isinstance(text, str) and text.strip() for text in said.values()), where, _NAMES)
    return dict(said)


_NAMES = f"name: a text in each of {', '.join(LANGUAGES)}"


def _amounts(said: Any, where: str) -> Mapping[str, int]:
    _demand(isinstance(said, dict) and bool(said), where, 'amount: {EUR = "10"}')
    return {currency: _amount(text, currency, where) for currency, text in said.items()}


def _amount(text: Any, currency: str, where: str) -> int:
    _demand(isinstance(text, str), where, f'amount in {currency}: in quotes, such as "9.90"')
    try:
        minor = Money.of(text, currency).minor
    except MoneyError as error:
        raise BadFile(f"{where}: amount in {currency}: {error}") from None
    _demand(minor > 0, where, f"amount in {currency}: more than nothing")
    return minor


def _benefits(said: Any, where: str) -> tuple[str, ...]:
    known = isinstance(said, list) and all(one in BENEFITS for one in said) and len(set(said)) == len(said)
    _demand(known, where, f"unlocks: a list of {', '.join(BENEFITS)}")
    return tuple(said)


def _demand(fits: bool, where: str, otherwise: str) -> None:
    if not fits:
        raise BadFile(f"{where}: {otherwise}")
