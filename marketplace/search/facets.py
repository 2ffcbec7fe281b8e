"""Facets: counts and price ranges of what is on offer, for the filters beside a search.

Apart from the rooms: reads of other slices by their manifests, cached, beside the search itself.
"""

from functools import partial
from typing import Any

from flask import current_app

from marketplace.catalog.queries import tree
from marketplace.core.cache.shared_cache import Kept
from marketplace.core.lists.facets import AmountRange
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
    found = searchable()[kind].facets(**query)
    others = {name: counts for name, counts in found.values.items() if name != "category"}
    return {
        "type": kind,
        "total": found.total,
        "categories": [_category(*one) for one in found.values["category"]],
        "amounts": [_amount(one) for one in found.amounts],
        "values": {
            name: [{"value": value, "count": count} for value, count in counts[:MOST_VALUES]]
            for name, counts in others.items()
        },
    }


def _category(key: str, count: int) -> JsonObject:
    return {"key": key, "name": tree().name(key), "count": count}


def _amount(row: AmountRange) -> JsonObject:
    return {
        "currency": row.currency,
        "least": to_major(row.least, row.currency),
        "most": to_major(row.most, row.currency),
        "count": row.count,
    }
