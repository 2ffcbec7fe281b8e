"""What is done with what a text holds: data, read once, checked when read."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.moderation.reading import KINDS

SHIPPED = Path(__file__).with_name("rules.toml")
ALLOW, MASK, HOLD, REFUSE = ACTIONS = ("allow", "mask", "hold", "refuse")
MESSAGE, LISTING, REVIEW = PLACES = ("message", "listing", "review")


class BadRules(RuntimeError):
    """A rule that nobody could mean; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with one kind of find in each place; a `contact` passes between two with a paid deal."""

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
    """All rules by what they look for, and the hosts that may be linked to."""

    by_kind: dict[str, Rule]
    allowed_hosts: frozenset[str]

    def strikes(self, name: str) -> int:
        """What a violation of this rule counts; of one that is gone, nothing."""
        return next((rule.strikes for rule in self.by_kind.values() if rule.name == name), 0)


@cache
def read(path: Path = SHIPPED) -> Rules:
    """The rules of one file; raises BadRules."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        rules = [Rule(**row) for row in found["rule"]]
        hosts = frozenset(str(host).lower() for host in found.get("allowed_hosts", []))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadRules(f"{path.name}: {error}") from None
    for rule in rules:
        _check(rule, path.name)
    for name in ("name", "looks_for"):
        if len({getattr(rule, name) for rule in rules}) < len(rules):
            raise BadRules(f"{path.name}: two rules have the same {name}.")
    return Rules({rule.looks_for: rule for rule in rules}, hosts)


def _check(rule: Rule, file: str) -> None:
    wrong = [field.name for field in fields(rule) if type(getattr(rule, field.name)) is not field.type]
    wrong += [place for place in PLACES if getattr(rule, place) not in ACTIONS]
    wrong += ["looks_for"] if rule.looks_for not in KINDS else []
    wrong += ["name"] if not 0 < len(str(rule.name)) <= 40 else []
    if wrong or rule.strikes < 0:
        raise BadRules(f"{file}: the rule {rule.name!r} is wrong in {', '.join(_once(wrong or ['strikes']))}.")


def _once(names: list[Any]) -> list[Any]:
    return list(dict.fromkeys(names))
