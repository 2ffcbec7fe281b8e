"""Find and judge in one step, as the service does."""

from marketplace.content_filter.rules import Rules, read_rules
from marketplace.content_filter.verdict import Verdict, find, judge


def screen(text: str, where: str, *, trusted: bool = False, rules: Rules | None = None) -> Verdict:
    """Judge a text written in a message, a listing or a review; `trusted` between two who have a paid deal."""
    return judge(text, find(text, rules or read_rules()), where, trusted=trusted)
