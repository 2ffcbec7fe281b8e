"""Saved searches, and matching each new thing with them.

The words a search stands for are stored with it, so that a new thing is compared with thousands of
searches by looking at words, without asking the database for each.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Text, func, or_, select, type_coerce

from marketplace.auth.models import User
from marketplace.auth.service import hold
from marketplace.catalog.queries import split_keys, tree
from marketplace.core.database.db import db, fetch, fetch_as, listed, one, save
from marketplace.core.lists.full_text import Word, understand
from marketplace.core.queues.outbox import publish
from marketplace.events.search import SavedSearchMatched
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid
from marketplace.kit.geo import distance_km
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import stem
from marketplace.search.models import SavedSearch
from marketplace.search.policy import awaited

MOST = 50
SHOWN = ("id", "name", "q", "latitude", "longitude", "radius", "alerts", "created_at", "updated_at")
SOUGHT = ("q", "types", "categories", "latitude", "longitude", "radius", "alerts")
PLACE = ("latitude", "longitude", "radius")


class TooManySearches(Conflict):
    """409: one can save MOST searches."""

    code = "too_many_searches"
    sentence = f"You have saved {MOST} searches. Delete one that is not needed any more."


def add(user: User, *, category: str | None = None, **fields: Any) -> SavedSearch:
    """Save a search, in one category or several with commas between them; raises TooManySearches (409), Invalid (422)
    for one that would match everything."""
    hold(user.id)
    kept = int(fetch(select(func.count()).select_from(SavedSearch).where(SavedSearch.user_id == user.id))[0][0])
    if kept >= MOST:
        raise TooManySearches()
    search = SavedSearch(user_id=user.id, alerts_since=now(), categories=_known(category), **fields)
    return save(_checked(search))


def change(user: User, search_id: int, **changes: Any) -> SavedSearch:
    """Change the fields that were sent; with another search, alerts begin anew. Raises NotFound, Invalid (422)."""
    search = find(user, search_id)
    before = {name: getattr(search, name) for name in SOUGHT}
    if "category" in changes:
        search.categories = _known(changes.pop("category"))
    for name, value in changes.items():
        setattr(search, name, value)
    _checked(search)
    if search.alerts and any(getattr(search, name) != value for name, value in before.items()):
        search.alerts_since = now()
    search.touch()
    return save(search)


def remove(user: User, search_id: int) -> None:
    """Delete a saved search; raises NotFound."""
    db.session.delete(find(user, search_id))


def find(user: User, search_id: int) -> SavedSearch:
    """One of one's own; raises NotFound."""
    return one(select(SavedSearch).where(SavedSearch.user_id == user.id, SavedSearch.id == search_id), "saved search")


def of(user: User) -> list[JsonObject]:
    """One's saved searches, newest first."""
    mine = select(SavedSearch.__table__).where(SavedSearch.user_id == user.id)
    return [view(row) for row in fetch(mine.order_by(SavedSearch.id.desc()))]


def view(search: Any) -> JsonObject:
    """A saved search as JSON."""
    shown = {name: getattr(search, name) for name in SHOWN}
    return {**shown, "types": list(search.types), "category": ",".join(search.categories) or None}


def name_of(search_id: int) -> str:
    """The name its owner gave it; empty where it was deleted."""
    rows = fetch(select(SavedSearch.name).where(SavedSearch.id == search_id))
    return rows[0].name if rows else ""


class SavedSearchRow(Protocol):
    """A row of saved_searches."""

    id: int
    user_id: int
    name: str
    q: str
    types: list[str]
    categories: list[str]
    latitude: float | None
    longitude: float | None
    radius: float | None
    asked: dict[str, Any]
    alerts: bool
    alerts_since: datetime


def waiting_for(kind: str, thing: Any, after: int, batch: int) -> tuple[int, list[SavedSearchRow]]:
    """Of the next searches with alerts those that a new thing fits, and the id of the last one looked at (0: none)."""
    asked = select(SavedSearch.__table__).where(SavedSearch.alerts, SavedSearch.id > after)
    kept = type_coerce(SavedSearch.categories, Text)
    fitting = or_(kept == "", *(kept.contains(listed(key), autoescape=True) for key in tree().path(thing.category)))
    rows = fetch_as(
        SavedSearchRow,
        asked.where(fitting, SavedSearch.user_id != thing.owner_id).order_by(SavedSearch.id).limit(batch),
    )
    words = thing.search_text.split()
    return (rows[-1].id if rows else 0), [row for row in rows if _fits(row, kind, thing, words)]


def rebuild() -> int:
    """Store the words of all searches anew, after an upgrade of the reading of texts; returns how many changed."""
    changed = 0
    for search in db.session.scalars(select(SavedSearch).order_by(SavedSearch.id)):
        before = search.asked
        search.asked = _understood(search.q)
        changed += search.asked != before
    return changed


def tell(search: SavedSearchRow, kind: str, thing_id: int) -> None:
    """Publish SavedSearchMatched."""
    publish(SavedSearchMatched(search_id=search.id, user_id=search.user_id, kind=kind, thing_id=thing_id))


def _checked(search: SavedSearch) -> SavedSearch:
    place = [getattr(search, name) is not None for name in PLACE]
    if any(place) and not all(place):
        raise Invalid.field("radius", "A place is latitude, longitude and radius together.")
    search.asked = _understood(search.q or "")
    if not (search.asked["words"] or search.asked["phrases"] or search.categories or all(place)):
        raise Invalid.field("q", "Say what to look for: words, a category or a place.")
    search.types = list(search.types or awaited())
    return search


def _known(text: str | None) -> list[str]:
    """The keys of these categories, each once; raises Invalid (422) for one that is not there."""
    found = []
    for typed in split_keys(text):
        key = tree().resolve(typed.strip().lower())
        if key is None:
            named = f"{typed.strip()}: there" if "," in (text or "") else "There"
            raise Invalid.field("category", f"{named} is no such category. GET /api/categories lists them.")
        found.append(key)
    return list(dict.fromkeys(found))


def _understood(q: str) -> JsonObject:
    """The query as words to compare with; it does not depend on the vocabulary, as new words are waited for too."""
    asked = understand(q)
    return {
        "phrases": [list(words) for words in asked.phrases],
        "without": [list(words) for words in asked.without],
        "words": [_beginnings(word) for word in asked.words],
        "same": [[*word.same, *map(stem, word.near), *_letter(word)] for word in asked.words],
        "apart": [[" ".join(pieces) for pieces in word.apart] for word in asked.words],
    }


def _beginnings(word: Word) -> list[str]:
    return list(word.wholes) if word.is_letter else [word.typed, word.root, *word.wholes]


def _letter(word: Word) -> list[str]:
    return [word.typed] if word.is_letter else []


def _fits(search: Any, kind: str, thing: Any, words: Sequence[str]) -> bool:
    if kind not in search.types or thing.created_at < search.alerts_since:
        return False
    asked = search.asked
    stems, text = {stem(word) for word in words}, f" {' '.join(words)} "
    apart = asked.get("apart") or [[]] * len(asked["words"])
    said = all(
        any(word.startswith(tuple(forms)) for word in words)
        or not stems.isdisjoint(same)
        or any(f" {pieces} " in text for pieces in in_pieces)
        for forms, same, in_pieces in zip(asked["words"], asked["same"], apart, strict=True)
    )
    together = all(f" {' '.join(phrase)} " in text for phrase in asked["phrases"])
    absent = not any(f" {' '.join(phrase)} " in text for phrase in asked["without"])
    return said and together and absent and _is_near(search, thing)


def _is_near(search: Any, thing: Any) -> bool:
    if search.radius is None:
        return True
    if thing.latitude is None or thing.longitude is None:
        return False
    return bool(distance_km(search.latitude, search.longitude, thing.latitude, thing.longitude) <= search.radius)
