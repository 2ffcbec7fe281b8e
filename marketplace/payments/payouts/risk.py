"""How suspicious a payout is: rules read from TOML once, checked when read.

Apart from the rooms: configuration as data, and the score it gives.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement, func, select

from marketplace.auth.models import User
from marketplace.auth.sign_in_risk.models import Signal
from marketplace.core.database.db import fetch
from marketplace.core.ops import current_settings
from marketplace.core.ops.rule_files import BadFile, made, read_toml, tables, whole_number
from marketplace.kit.clock import now
from marketplace.kit.money import exponent
from marketplace.payments.models import Payout

AMOUNT = re.compile(r"[0-9]{1,12}")
SHIPPED = Path(__file__).with_name("risk.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `score` where `fact` is true; the other fields are the fact's thresholds."""

    reason: str
    fact: str
    score: int
    days: int = 0
    at_least: int = 0
    major: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Score and reasons of one payout, and whether it is held for staff."""

    score: int
    reasons: list[str]
    is_held: bool


def judge(payout: Payout) -> Judgement:
    """Score a payout that was just requested."""
    hold, found = in_force()
    hits = [rule for rule in found if FACTS[rule.fact](rule, payout)]
    score = sum(rule.score for rule in hits)
    return Judgement(score, [rule.reason for rule in hits], score >= hold)


def in_force() -> tuple[int, tuple[Rule, ...]]:
    """(score from which a payout is held, rules) by the settings; raises BadFile."""
    return rules(current_settings.path("PAYOUT_RULES", SHIPPED))


@cache
def rules(path: Path) -> tuple[int, tuple[Rule, ...]]:
    """(score from which a payout is held, rules) of one file; raises BadFile."""
    said = read_toml(path)
    rows = tables(said, "rule", path)
    found = tuple(made(Rule, row, f"{path}: rule {place}") for place, row in enumerate(rows, 1))
    hold = whole_number(said, "hold", path)
    for rule in found:
        if rule.fact not in FACTS:
            raise BadFile(f"{path}: the rule {rule.reason!r} needs a fact of {', '.join(FACTS)}.")
        if not all(len(currency) == 3 and AMOUNT.fullmatch(str(most)) for currency, most in rule.major.items()):
            raise BadFile(f'{path}: the rule {rule.reason!r} needs amounts by currency, {{EUR = "2000"}}.')
    return hold, found


def _new_account(rule: Rule, payout: Payout) -> bool:
    return _is_person(payout, User.created_at > _since(rule))


def _suspended(rule: Rule, payout: Payout) -> bool:
    return _is_person(payout, User.is_active.is_(False))


def _is_person(payout: Payout, condition: ColumnElement[bool]) -> bool:
    return bool(fetch(select(User.id).where(User.id == payout.user_id, condition)))


def _first_payout(rule: Rule, payout: Payout) -> bool:
    earlier = select(Payout.id).where(Payout.user_id == payout.user_id, Payout.paid_at.is_not(None))
    return not fetch(earlier.limit(1))


def _large(rule: Rule, payout: Payout) -> bool:
    most = rule.major.get(payout.currency)
    return most is not None and payout.amount_minor > Decimal(most).scaleb(exponent(payout.currency))


def _suspicious_sign_in(rule: Rule, payout: Payout) -> bool:
    lately = select(Signal.id).where(Signal.user_id == payout.user_id, Signal.created_at > _since(rule))
    return bool(fetch(lately.where(Signal.verdict.in_(("step_up", "hold"))).limit(1)))


def _many_payouts(rule: Rule, payout: Payout) -> bool:
    lately = select(func.count()).select_from(Payout)
    mine = lately.where(Payout.user_id == payout.user_id, Payout.created_at > _since(rule))
    return int(fetch(mine)[0][0]) >= rule.at_least


def _since(rule: Rule) -> datetime:
    return now() - timedelta(days=rule.days)


FACTS: dict[str, Callable[[Rule, Payout], bool]] = {
    "new_account": _new_account,
    "first_payout": _first_payout,
    "large": _large,
    "suspicious_sign_in": _suspicious_sign_in,
    "many_payouts": _many_payouts,
    "suspended": _suspended,
}
