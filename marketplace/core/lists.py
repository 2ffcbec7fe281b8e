"""One declarative description a list: its filters, its sorts, its position, the columns of its answer.

The statement of each combination is built once and kept: building a select costs as much as
running it. LIMIT stands inside, before the join to the owner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import cos, pi, radians, sin
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy import type_coerce as typed

from marketplace.core.db import UTCDateTime, db, fetch
from marketplace.core.pagination import (
    COUNT_BOUND,
    CURSOR_START,
    MAX_PER_PAGE,
    Page,
    decode_cursor,
    encode_cursor,
)
from marketplace.core.search import match_query
from marketplace.kit.errors import Invalid
from marketplace.kit.geo import EARTH_RADIUS_KM, boxes_around

Writer = Callable[[Row[Any]], dict[str, Any]]
HALF: ColumnElement[Any] = literal_column("0.5")
ALMOST_ONE: ColumnElement[Any] = literal_column("0.999999999999999")
POSITION = ("latitude", "longitude", "radius")
BOX = ("south", "north", "west", "east")


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes two requests share a statement."""

    filters: frozenset[str]
    order: tuple[str, ...]
    boxes: int
    keyset: bool
    continued: bool
    dialect: str


@dataclass(eq=False)
class ListQuery:
    """`filters` and `sorts` are allow-lists by parameter name; sort keys must not be NULL.

    A filter is a condition with bind parameters, or a function that makes one (where the
    dialect decides). `near` turns on latitude, longitude and radius in km. `most` rows make a page.
    """

    name: str
    table: Table
    columns: Sequence[ColumnElement[Any]]
    filters: Mapping[str, ColumnElement[bool] | Callable[[], ColumnElement[bool]]]
    sorts: Mapping[str, ColumnElement[Any]]
    default_sort: str
    joined: FromClause | None = None
    near: bool = False
    position: tuple[str, str] = ("latitude", "longitude")
    nearest_first: bool = True
    most: int = MAX_PER_PAGE
    built: dict[Any, Any] = field(default_factory=dict, repr=False)

    def page(
        self,
        params: Mapping[str, Any],
        writer: Writer,
        *,
        extra: dict[str, Any] | None = None,
    ) -> Page:
        """Run it: `params` are loaded query parameters; None means not asked."""
        ask = _Ask(self, {key: value for key, value in params.items() if value is not None})
        if ask.is_too_deep:
            total = int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])
            return Page(self.name, [], ask.per_page, False, ask.page, total, extra=extra)
        rows = fetch(self._built_once("rows", ask.shape), ask.binds)
        has_more, rows = len(rows) > ask.per_page, rows[: ask.per_page]
        items = [writer(row) for row in rows]
        if ask.shape.keyset:
            return self._keyset_page(ask, rows, items, has_more=has_more, extra=extra)
        total = self._total(ask, rows, has_more)
        has_more = has_more and ask.offset + ask.per_page < COUNT_BOUND
        return Page(self.name, items, ask.per_page, has_more, ask.page, total, extra=extra)

    def rows(self, params: Mapping[str, Any]) -> list[Row[Any]]:
        """The first page as rows, without a total: for whoever goes on working with them."""
        ask = _Ask(self, {key: value for key, value in params.items() if value is not None})
        return fetch(self._built_once("rows", ask.shape), ask.binds)[: ask.per_page]

    def summary(self, by: ColumnElement[Any], params: Mapping[str, Any], *values: ColumnElement[Any]) -> list[Row[Any]]:
        """For each value of `by` among what the filters leave: the value, how many there are, and `values`."""
        ask = _Ask(self, {key: value for key, value in params.items() if value is not None})
        name = ("by", *map(str, (by, *values)), ask.shape)
        if name not in self.built:
            grouped = select(by, func.count().label("count"), *values).where(*self._conditions(ask.shape))
            self.built[name] = grouped.group_by(by).order_by(func.count().desc(), by)
        return fetch(self.built[name], ask.binds)

    def total(self, params: Mapping[str, Any]) -> int:
        """How many rows the filters leave, counted up to the bound plus one."""
        ask = _Ask(self, {key: value for key, value in params.items() if value is not None})
        return int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])

    def _keyset_page(
        self, ask: "_Ask", rows: list[Row[Any]], items: list[dict[str, Any]], *, has_more: bool, extra: Any
    ) -> Page:
        keys = [getattr(rows[-1], f"key_{i}") for i in range(len(ask.shape.order))] if has_more else []
        cursor = encode_cursor(ask.scope, [*keys, rows[-1].id]) if has_more else None
        return Page(self.name, items, ask.per_page, has_more, next_cursor=cursor, by_cursor=True, extra=extra)

    def _total(self, ask: "_Ask", rows: list[Row[Any]], has_more: bool) -> int:
        if rows and not has_more:
            return ask.offset + len(rows)
        if rows and ask.shape.boxes:
            return int(rows[0].matched)
        if not rows and ask.page == 1:
            return 0
        return int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])

    def _built_once(self, kind: str, shape: Shape) -> Select[Any]:
        statement = self.built.get((kind, shape))
        if statement is None:
            build = self._build_rows if kind == "rows" else self._build_count
            statement = self.built[kind, shape] = build(shape)
        return statement

    def _build_count(self, shape: Shape) -> Select[Any]:
        matched = select(self.table.c.id).where(*self._conditions(shape)).limit(COUNT_BOUND + 1)
        return select(func.count()).select_from(matched.subquery())

    def _build_rows(self, shape: Shape) -> Select[Any]:
        inner = self._build_inner(shape)
        source = inner.join(self.joined if self.joined is not None else self.table, self.table.c.id == inner.c.id)
        keys = [inner.c[f"key_{i}"] for i in range(len(shape.order))]
        chosen = [*self.columns, *(keys if shape.keyset else ())]
        if shape.boxes:
            by_distance = next(
                (k for k, name in zip(keys, shape.order, strict=True) if _bare(name) == "distance"), None
            )
            chosen.append((inner.c.distance if by_distance is None else by_distance).label("distance"))
            chosen += [inner.c.matched] if "matched" in inner.c else []
        return select(*chosen).select_from(source).order_by(*_ordering(keys, shape.order, inner.c.id))

    def _build_inner(self, shape: Shape) -> Any:
        keys = [self._key(name).label(f"key_{i}") for i, name in enumerate(shape.order)]
        chosen = [self.table.c.id, *keys]
        if shape.boxes and "distance" not in map(_bare, shape.order):
            chosen.append(self._distance().label("distance"))
        if shape.boxes and not shape.keyset:
            chosen.append(func.count().over().label("matched"))
        page = select(*chosen).where(*self._conditions(shape))
        if shape.continued:
            page = page.where(_after([key.element for key in keys], shape.order, self.table.c.id))
        page = page.order_by(*_ordering(keys, shape.order, self.table.c.id)).limit(bindparam("limit_rows"))
        return (page if shape.keyset else page.offset(bindparam("offset_rows"))).subquery("page")

    def _key(self, name: str) -> ColumnElement[Any]:
        return self._distance() if _bare(name) == "distance" else self.sorts[_bare(name)]

    def _conditions(self, shape: Shape) -> list[ColumnElement[bool]]:
        asked = [self.filters[name] for name in self.filters if name in shape.filters]
        found = [condition() if callable(condition) else condition for condition in asked]
        if shape.boxes:
            found.append(or_(*(self._inside(i) for i in range(shape.boxes))))
            found.append(self._haversine() <= bindparam("reach", type_=Float()))
        return found

    def _inside(self, index: int) -> ColumnElement[bool]:
        south, north, west, east = (bindparam(f"{side}_{index}", type_=Float()) for side in BOX)
        return and_(self._lat.between(south, north), self._lng.between(west, east))

    @property
    def _lat(self) -> ColumnElement[float]:
        return self.table.c[self.position[0]]

    @property
    def _lng(self) -> ColumnElement[float]:
        return self.table.c[self.position[1]]

    def _distance(self) -> ColumnElement[float]:
        """Haversine in km, spelt as kit/geo.py spells it."""
        return typed(literal(2 * EARTH_RADIUS_KM) * func.asin(func.sqrt(self._haversine())), Float)

    def _haversine(self) -> ColumnElement[float]:
        """The square of half the chord, 0 to 1; shrunk by 10⁻¹⁵ so that rounding cannot push it past
        1, where asin ends."""
        lat, lng = bindparam("latitude", type_=Float()), bindparam("longitude", type_=Float())
        half_lat = func.sin(func.radians(self._lat - lat) * HALF)
        half_lng = func.sin(func.radians(self._lng - lng) * HALF)
        across = bindparam("cos_latitude", type_=Float()) * func.cos(func.radians(self._lat))
        return (half_lat * half_lat + across * half_lng * half_lng) * ALMOST_ONE


class _Ask:
    """One request, read against its list: the shape of the statement and what it binds."""

    def __init__(self, query: ListQuery, params: dict[str, Any]) -> None:
        self.query = query
        self.page = int(params.get("page", 1))
        self.per_page = min(int(params.get("per_page", 20)), query.most)
        self.offset = (self.page - 1) * self.per_page
        self.binds: dict[str, Any] = {"limit_rows": self.per_page + 1, "offset_rows": self.offset}
        boxes = self._bind_position(params)
        filters = self._bind_filters(params)
        order = self._order(params.get("sort"), boxes > 0)
        cursor = params.get("cursor")
        asked = sorted(
            (name, str(value))
            for name, value in params.items()
            if (name in filters or (boxes and name in POSITION)) and not isinstance(value, datetime)
        )
        self.scope = f"{query.name}|{order}|{asked}"
        continued = bool(cursor) and cursor != CURSOR_START
        if continued:
            self._bind_cursor(str(cursor), order)
        self.shape = Shape(filters, order, boxes, bool(cursor), continued, db.engine.dialect.name)

    @property
    def is_too_deep(self) -> bool:
        """Pages end where totals do: skipping further costs as much as reading; cursors go on."""
        return not self.shape.keyset and self.offset >= COUNT_BOUND

    def _bind_position(self, params: dict[str, Any]) -> int:
        if not self.query.near or params.get("latitude") is None or params.get("longitude") is None:
            return 0
        lat, lng, radius = params["latitude"], params["longitude"], params["radius"]
        boxes = boxes_around(lat, lng, radius)
        for index, box in enumerate(boxes):
            for side in BOX:
                self.binds[f"{side}_{index}"] = getattr(box, side)
        reach = sin(min(radius / EARTH_RADIUS_KM / 2, pi / 2)) ** 2
        self.binds |= {"latitude": lat, "longitude": lng, "cos_latitude": cos(radians(lat)), "reach": reach}
        return len(boxes)

    def _bind_filters(self, params: dict[str, Any]) -> frozenset[str]:
        asked = frozenset(params) & frozenset(self.query.filters)
        self.binds |= {name: params[name] for name in asked}
        if "q" in asked:
            self.binds["match"] = match_query(params["q"])
        return asked

    def _order(self, sort: str | None, near: bool) -> tuple[str, ...]:
        if not sort:
            return ("distance",) if near and self.query.nearest_first else tuple(self.query.default_sort.split(","))
        known = [*self.query.sorts, *(["distance"] if near else [])]
        names = tuple(name.strip() for name in sort.split(",") if name.strip())[:4]
        if not names or any(_bare(name) not in known for name in names):
            raise Invalid.field("sort", f"Sort by one or more of: {', '.join(sorted(known))}; minus for descending.")
        return names

    def _bind_cursor(self, cursor: str, order: tuple[str, ...]) -> None:
        kinds = [float if n.endswith("distance") else _kind(self.query.sorts[_bare(n)]) for n in order]
        values = decode_cursor(self.scope, cursor, [*kinds, int])
        self.binds |= {f"after_{i}": value for i, value in enumerate(values)}


def _bare(name: str) -> str:
    return name.removeprefix("-")


def _kind(column: ColumnElement[Any]) -> type:
    return datetime if isinstance(column.type, UTCDateTime) else column.type.python_type


def _ordering(
    keys: Sequence[ColumnElement[Any]], order: tuple[str, ...], tie: ColumnElement[Any]
) -> list[ColumnElement[Any]]:
    """Ties fall by id in the first key's direction, so that one index serves both."""
    directed = [key.desc() if name.startswith("-") else key.asc() for key, name in zip(keys, order, strict=True)]
    return [*directed, tie.desc() if order[0].startswith("-") else tie.asc()]


def _after(keys: Sequence[ColumnElement[Any]], order: tuple[str, ...], tie: ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows behind the cursor; one row comparison where all keys run the same way (an index can)."""
    columns = [*keys, tie]
    down = [name.startswith("-") for name in order] + [order[0].startswith("-")]
    last = [bindparam(f"after_{i}", type_=column.type) for i, column in enumerate(columns)]
    if len(set(down)) == 1:
        return tuple_(*columns) < tuple_(*last) if down[0] else tuple_(*columns) > tuple_(*last)
    steps = []
    for i, column in enumerate(columns):
        equal = [c == v for c, v in zip(columns[:i], last[:i], strict=True)]
        steps.append(and_(*equal, column < last[i] if down[i] else column > last[i]))
    return or_(*steps)
