"""The rules a sign-in is scored by: read from TOML once, checked when read.

Apart from the rooms: configuration as data.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from marketplace.core.ops import current_settings
from marketplace.core.ops.rule_files import BadFile, made, read_toml, tables, whole_number

SHIPPED = Path(__file__).with_name("rules.toml")
FACTS = frozenset({"new_device", "new_country", "impossible_travel"})
COUNTED = frozenset({"failed_sign_in", "refused_code", "sign_in", "registered", "sign_in_held", "password_reset"})
PASS, STEP_UP, HOLD = "pass", "step_up", "hold"


@dataclass(frozen=True, slots=True)
class Rule:
    """Adds `score` where `fact` is true, or where at least `at_least` signals of the kind `count` came within
    `minutes`, those of accounts left out that also have one of the kind `unless`."""

    reason: str
    score: int
    fact: str = ""
    count: str = ""
    by: str = ""
    minutes: int = 0
    at_least: int = 0
    unless: str = ""

    @property
    def window(self) -> timedelta:
        """The span in which signals count."""
        return timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, and the scores from which a second proof is asked for (`step_up`) or the sign-in is held (`hold`)."""

    step_up: int
    hold: int
    rules: tuple[Rule, ...]

    def verdict(self, score: int) -> str:
        """pass, step_up or hold."""
        if score >= self.hold:
            return HOLD
        return STEP_UP if score >= self.step_up else PASS


def rules() -> Rules:
    """The rules in force; raises BadFile."""
    return read(current_settings.path("SECURITY_RULES", SHIPPED))


@cache
def read(path: Path) -> Rules:
    """The rules of one file; raises BadFile."""
    found = read_toml(path)
    rows = tables(found, "rule", path)
    read_rules = tuple(made(Rule, row, f"{path}: rule {place}") for place, row in enumerate(rows, 1))
    for rule in read_rules:
        _check(rule, str(path))
    return Rules(whole_number(found, "step_up", path), whole_number(found, "hold", path), read_rules)


def _check(rule: Rule, file: str) -> None:
    counts = rule.count in COUNTED and rule.by in {"user", "address"} and rule.minutes > 0 and rule.at_least > 0
    if rule.unless and not (counts and rule.unless in COUNTED):
        raise BadFile(f"{file}: the rule {rule.reason!r} weighs by a kind of signal that there is not.")
    if counts == (rule.fact in FACTS):
        raise BadFile(f"{file}: the rule {rule.reason!r} needs a fact ({', '.join(sorted(FACTS))}) or a whole count.")
