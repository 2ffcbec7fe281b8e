"""What is done with what a text holds: rules read from TOML once, checked when read.

Apart from the rooms: configuration as data.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.content_filter.detector import KINDS
from marketplace.core.ops.rule_files import BadFile, demand_type, made, read_toml, tables

SHIPPED = Path(__file__).with_name("rules.toml")
ALLOW, MASK, HOLD, REFUSE = ACTIONS = ("allow", "mask", "hold", "refuse")
MESSAGE = "message"
PLACES = (MESSAGE, "listing", "review")


@dataclass(frozen=True, slots=True)
class Rule:
    """The action for one kind of find in each place (message, listing …); a `contact` is allowed between two who have a
    paid deal."""

    name: str
    looks_for: str
    sentence: str
    message: str
    listing: str
    review: str
    strikes: int = 1
    contact: bool = False

    def action(self, where: str, *, trusted: bool) -> str:
        """allow, mask, hold or refuse."""
        return ALLOW if trusted and self.contact else str(getattr(self, where))


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules by the kind of find, and the hosts that links may lead to."""

    by_kind: dict[str, Rule]
    allowed_hosts: frozenset[str]


@cache
def read_rules(path: Path = SHIPPED) -> Rules:
    """The rules of one file; raises BadFile."""
    found = read_toml(path)
    rows = tables(found, "rule", path)
    rules = [made(Rule, row, f"{path}: rule {place}") for place, row in enumerate(rows, 1)]
    allowed: Any = found.get("allowed_hosts", [])
    demand_type(allowed, list, f"{path}: allowed_hosts")
    hosts = frozenset(str(host).lower() for host in allowed)
    for rule in rules:
        _check(rule, str(path))
    for name in ("name", "looks_for"):
        if len({getattr(rule, name) for rule in rules}) < len(rules):
            raise BadFile(f"{path}: two rules have the same {name}.")
    return Rules({rule.looks_for: rule for rule in rules}, hosts)


def _check(rule: Rule, file: str) -> None:
    wrong = [place for place in PLACES if getattr(rule, place) not in ACTIONS]
    wrong += ["looks_for"] if rule.looks_for not in KINDS else []
    wrong += ["name"] if not 0 < len(str(rule.name)) <= 40 else []
    if wrong or rule.strikes < 0:
        raise BadFile(f"{file}: the rule {rule.name!r} is wrong in {', '.join(_once(wrong or ['strikes']))}.")


def _once(names: list[Any]) -> list[str]:
    return list(dict.fromkeys(names))
