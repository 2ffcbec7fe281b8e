"""What PayPal's answers have in common.

Apart from the rooms: a gateway's part: its JSON.
"""

from typing import Any

PayPalJson = dict[str, Any]


def link(thing: PayPalJson, *names: str) -> str:
    """The address it names by one of these relations; empty where it has none."""
    return next((str(one["href"]) for one in thing.get("links", []) if one["rel"] in names), "")
