"""How long ago somebody was there, as a reader of a language would say it.

Apart from the rooms: words for a moment, without tables.
"""

from datetime import datetime

from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject

UNITS = ((86_400, 2), (3_600, 1), (60, 0))  # seconds, and where the unit's sign stands in WORDS
WORDS = {
    "en": ("online", "just now", "{} ago", ("min", "h", "d")),
    "lv": ("tiešsaistē", "tikko", "pirms {}", ("min", "st", "d")),
    "ru": ("в сети", "только что", "{} назад", ("мин", "ч", "дн")),
}


def view(last_seen: datetime | None, *, is_online: bool, language: str) -> JsonObject:
    """`online_status` (online or offline) and `last_seen_display` (None where it is not known) of somebody."""
    shown = words(last_seen, is_online=is_online, language=language)
    return {"online_status": "online" if is_online else "offline", "last_seen_display": shown}


def words(last_seen: datetime | None, *, is_online: bool, language: str) -> str | None:
    """`online`, `just now`, `5 min ago`; None where nobody knows. Signs of units need no plural."""
    online, moment, ago, signs = WORDS[language]
    if is_online or last_seen is None:
        return online if is_online else None
    seconds = int((now() - last_seen).total_seconds())
    found = next(((length, place) for length, place in UNITS if seconds >= length), None)
    return moment if found is None else ago.format(f"{seconds // found[0]} {signs[found[1]]}")
