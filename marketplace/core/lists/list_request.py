"""One request for a list, read against its description: which statement it needs, and what that binds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement

from marketplace.core.database.db import UTCDateTime, db
from marketplace.core.lists import near
from marketplace.core.lists.full_text import SearchQuery, match_query, understand
from marketplace.core.lists.pagination import COUNT_BOUND, CURSOR_START, MAX_PER_PAGE, decode_cursor
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject

POSITION = ("latitude", "longitude", "radius")
RELEVANCE = "relevance"
SMALLER_KM = (25.0, 400.0)
WIDER_KM = (25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1600.0)


class Description(Protocol):
    """What of a list's description a request is read against."""

    name: str
    filters: Mapping[str, Any]
    sorts: Mapping[str, ColumnElement[Any]]
    default_sort: str
    near: bool
    nearest_first: bool
    ranked: Any


@dataclass(frozen=True, slots=True)
class QueryShape:
    """The key that statements are kept under: two requests of one shape differ only in what they bind."""

    filters: frozenset[str]
    order: tuple[str, ...]
    boxes: int
    keyset: bool
    continued: bool
    dialect: str


class ListRequest:
    """One request, read against its list: the shape of the statement and what it binds."""

    def __init__(self, query: Description, params: dict[str, Any]) -> None:
        self.query, self.params = query, params
        self.page = int(params.get("page", 1))
        self.per_page = min(int(params.get("per_page", 20)), MAX_PER_PAGE)
        self.offset = (self.page - 1) * self.per_page
        self.binds: dict[str, Any] = {"limit_rows": self.per_page + 1, "offset_rows": self.offset}
        self.after: tuple[float, int] | None = None
        self.asked = SearchQuery()
        self.is_circle_smaller = False
        boxes = self._bind_position(params)
        filters = self._bind_filters(params)
        order = self._order(params, boxes > 0)
        self.by_relevance = order == (RELEVANCE,)
        asked = sorted(
            (name, str(value))
            for name, value in params.items()
            if (name in filters or (boxes and name in POSITION)) and not isinstance(value, datetime)
        )
        self.scope = f"{query.name}|{order}|{asked}"
        cursor = params.get("cursor")
        continued = bool(cursor) and cursor != CURSOR_START
        if self.by_relevance:
            order = ("distance",) if boxes else ("-created_at",)
            self._bind_moment(str(cursor) if continued else None)
        elif continued:
            self._bind_cursor(str(cursor), order)
        if "as_of" in self.params:
            self.binds["as_of"], filters = self.params["as_of"], filters | {"as_of"}
        self.shape = QueryShape(filters, order, boxes, bool(cursor), continued, db.engine.dialect.name)

    @property
    def is_too_deep(self) -> bool:
        """Whether the page begins behind COUNT_BOUND, where totals end: reading that far is for cursors."""
        return not self.shape.keyset and self.offset >= COUNT_BOUND

    def smaller_circles(self) -> Iterator[tuple[QueryShape, JsonObject]]:
        """Shapes and parameters of circles of SMALLER_KM (km), where a large radius is ordered by distance."""
        if not self.shape.boxes or self.shape.order != ("distance",):
            return
        beyond = 2 * float(self.binds.get("after_0", 0.0))  # pages by relevance go on among the same candidates
        for radius in (max(one, beyond) for one in SMALLER_KM):
            if radius < self.params["radius"] / 4:
                binds, boxes = near.bound(self.params["latitude"], self.params["longitude"], radius)
                yield replace(self.shape, boxes=boxes), {**self.binds, **binds}

    def _bind_position(self, params: dict[str, Any]) -> int:
        if not self.query.near or params.get("latitude") is None or params.get("longitude") is None:
            return 0
        binds, boxes = near.bound(params["latitude"], params["longitude"], params["radius"])
        self.binds |= binds
        return boxes

    def _bind_filters(self, params: dict[str, Any]) -> frozenset[str]:
        asked = frozenset(params) & frozenset(self.query.filters)
        for name in asked:  # a filter of several parameters is asked by all of them
            self.binds |= params[name] if isinstance(params[name], dict) else {name: params[name]}
        if "q" in asked:
            self._read(params["q"] if isinstance(params["q"], SearchQuery) else understand(params["q"]))
        return asked

    def widen(self) -> bool:
        """Take neighbours of known words too (`Asked.widened`); whether there were any."""
        wider = self.asked.widened
        if wider is not None:
            self._read(wider)
        return wider is not None

    def _read(self, asked: SearchQuery) -> None:
        self.asked, self.binds["match"] = asked, match_query(asked)

    def _order(self, params: dict[str, Any], near: bool) -> tuple[str, ...]:
        sort, ranks = params.get("sort"), self.query.ranked is not None and "q" in params
        if (not sort and ranks) or (sort == RELEVANCE and ranks):
            return (RELEVANCE,)
        if not sort:
            return ("distance",) if near and self.query.nearest_first else tuple(self.query.default_sort.split(","))
        known = [*self.query.sorts, *(["distance"] if near else [])]
        names = tuple(name.strip() for name in sort.split(",") if name.strip())[:4]
        if not names or any(bare(name) not in known for name in names):
            alone = " Or by relevance alone, the best first." if ranks else ""
            listed = f"Sort by one or more of: {', '.join(sorted(known))}; minus for descending.{alone}"
            raise Invalid.field("sort", listed)
        return names

    def _bind_moment(self, cursor: str | None) -> None:
        """Freshness is of the moment of the first page, so that no score changes from page to page."""
        if cursor is None:
            self.params = {"as_of": now(), **self.params}
            return
        moment, reading, score, last_id = decode_cursor(self.scope, cursor, [datetime, str, float, int])
        self.params, self.after = {**self.params, "as_of": moment}, (-score, -last_id)
        self._read(self.asked.read_as(reading))

    def _bind_cursor(self, cursor: str, order: tuple[str, ...]) -> None:
        kinds = [float if n.endswith("distance") else kind(self.query.sorts[bare(n)]) for n in order]
        reading, *values = decode_cursor(self.scope, cursor, [str, *kinds, int])
        self._read(self.asked.read_as(reading))
        self.binds |= {f"after_{i}": value for i, value in enumerate(values)}


def bare(name: str) -> str:
    """ "-created_at" → "created_at"."""
    return name.removeprefix("-")


def kind(column: ColumnElement[Any]) -> type:
    """The Python type that a sort key has in a cursor."""
    return datetime if isinstance(column.type, UTCDateTime) else column.type.python_type
