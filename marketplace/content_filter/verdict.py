"""Judge a text by the rules: allowed as it is, masked, held or refused.

Apart from the rooms: the decision itself, pure; the service records what it says.
"""

from dataclasses import dataclass
from itertools import accumulate

from marketplace.content_filter.detector import Span, read
from marketplace.content_filter.rules import ACTIONS, ALLOW, MASK, Rule, Rules

MASKED = "•"
Found = list[tuple[Rule, Span]]


@dataclass(frozen=True, slots=True)
class Hit:
    """One find: its rule, the action, and its place in the original text."""

    rule: str
    action: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The hardest action, the text with masked parts hidden, every hit, and the sentence for the person."""

    action: str
    text: str
    hits: tuple[Hit, ...] = ()
    sentence: str = ""

    @property
    def broken(self) -> list[tuple[str, str]]:
        """(rule, action) of each rule that was broken, once."""
        return list(dict.fromkeys((hit.rule, hit.action) for hit in self.hits if hit.action != ALLOW))


def find(text: str, rules: Rules) -> Found:
    """Every place of the text that a rule speaks of: the slow half, independent of who writes to whom."""
    spans = read(text, rules.allowed_hosts)
    return [(rules.by_kind[span.kind], span) for span in spans if span.kind in rules.by_kind]


def judge(text: str, found: Found, where: str, *, trusted: bool = False) -> Verdict:
    """What the rules do with the places found in this text."""
    hits = tuple(Hit(rule.name, rule.action(where, trusted=trusted), span.start, span.end) for rule, span in found)
    hardest = max((hit.action for hit in hits), key=ACTIONS.index, default=ALLOW)
    sentence = "" if hardest == ALLOW else _sentence(found, hits, hardest)
    return Verdict(hardest, _masked(text, hits), hits, sentence)


def _sentence(found: Found, hits: tuple[Hit, ...], hardest: str) -> str:
    return next(rule.sentence for (rule, _), hit in zip(found, hits, strict=True) if hit.action == hardest)


def _masked(text: str, hits: tuple[Hit, ...]) -> str:
    """The same text with • for every letter of the masked parts."""
    edges = [0] * (len(text) + 1)
    for hit in hits:
        if hit.action == MASK:
            edges[hit.start] += 1
            edges[hit.end] -= 1
    if not any(edges):
        return text
    return "".join(MASKED if deep else char for char, deep in zip(text, accumulate(edges), strict=False))
