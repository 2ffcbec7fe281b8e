"""Facets: counts and price ranges of what is on offer, for the filters beside a search.

Apart from the rooms: reads of other slices by their manifests, cached, beside the search itself.
"""

from functools import partial
from typing import Any

from flask import current_app

from marketplace.catalog.queries import tree
from marketplace.core.cache.shared_cache import Kept
from marketplace.core.lists.full_text import understand
from marketplace.core.ops import current_settings
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.search.policy import searchable

MOST_VALUES = 50


def of(kind: str, *, q: str | None = None, category: str | None = None) -> JsonObject:
    """Counts by value and price ranges by currency of one kind; without `q` and `category` they are cached."""
    if q or category:
        return _found(kind, q=q, category=category)
    kept: dict[str, Kept[dict[str, Any]]] = current_app.extensions.setdefault("facets", {})
    if kind not in kept:
        kept[kind] = Kept(partial(_found, kind), current_settings.whole("LIST_CACHE_SECONDS"))
    return kept[kind].get()


def _found(kind: str, **query: Any) -> JsonObject:
    if query.get("q"):
        query["q"] = understand(query["q"])  # once: each facet is a statement of its own
    parts = searchable()[kind].facets(**query)
    categories, amounts = parts.pop("category"), parts.pop("amounts")
    return {
        "type": kind,
        "total": sum(row.count for row in amounts),
        "categories": [_category(*row) for row in categories],
        "amounts": [_amount(row) for row in amounts if row.least is not None],
        "values": {
            name: [{"value": value, "count": count} for value, count in rows[:MOST_VALUES] if value]
            for name, rows in parts.items()
        },
    }


def _category(key: str, count: int) -> JsonObject:
    return {"key": key, "name": tree().name(key), "count": count}


def _amount(row: Any) -> JsonObject:
    return {
        "currency": row.currency,
        "least": to_major(row.least, row.currency),
        "most": to_major(row.most, row.currency),
        "count": row.count,
    }
