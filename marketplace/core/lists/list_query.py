"""One declarative description a list: its filters, its sorts, its position, the columns of its answer.

The statement of each combination is built once and kept: building a select costs as much as
running it. LIMIT stands inside, before the join to the owner. Words are found by the index; what was
found is ranked here (core/ranking.py), so that both databases put the same things first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from marshmallow import Schema
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
    tuple_,
)

from marketplace.core.database.db import AnyRow, UTCDateTime, fetch, fetch_as
from marketplace.core.http.fields import Str
from marketplace.core.lists import near
from marketplace.core.lists.facets import FacetRow, Facets, add_up
from marketplace.core.lists.full_text import FEW, MOST_CANDIDATES, match_query
from marketplace.core.lists.list_request import WIDER_KM, ListRequest, QueryShape, bare
from marketplace.core.lists.pagination import COUNT_BOUND, Page, encode_cursor
from marketplace.core.lists.ranking import Ranker, SearchHit
from marketplace.core.lists.text_index import latest_matches
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject

Writer = Callable[[AnyRow], dict[str, Any]]
DAY = 86_400
Statement: TypeAlias = Select[*tuple[object, ...]]  # of the columns that a list names


@dataclass(frozen=True, slots=True)
class Ranked:
    """What ranking looks at: what a row is called, and the columns of its owner's ratings."""

    title: Sequence[ColumnElement[Any]]
    owner: FromClause


class PostedRow(Protocol):
    """Something new on offer, to be compared with saved searches."""

    id: int
    title: str
    search_text: str
    category: str
    latitude: float | None
    longitude: float | None
    created_at: datetime
    owner_id: int


class TitledRow(Protocol):
    """A row by its id and the parts of its title: `title_0`, `title_1` …"""

    id: int
    title_0: str


@dataclass(eq=False)
class ListQuery:
    """`filters` and `sorts` are allow-lists by parameter name; sort keys must not be NULL.

    A filter is a condition with bind parameters, or a function that makes one (where the
    dialect decides). `near` turns on latitude, longitude and radius in km. `ranked` turns on
    relevance, the order of whoever asks with words (`q`) and without `sort`.
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
    ranked: Ranked | None = None
    built: dict[Any, Any] = field(default_factory=dict, repr=False)

    def arguments(self, base: type[Schema]) -> type[Schema]:
        """`base` with the parameters that follow from the description: `sort`, and `q` where there is a relevance."""
        keys = [*self.sorts, *(["distance (with a position)"] if self.near else [])]
        told = f"One or more of {', '.join(sorted(keys))}; minus for descending"
        asked: dict[str, Any] = {"q": Str(longest=500, example="red bike")} if self.ranked else {}
        told += "; or relevance alone, which is the order with q" if self.ranked else ""
        asked["sort"] = Str(longest=200, example=self.default_sort, metadata={"description": told})
        return base.from_dict(asked, name=base.__name__)

    def page(
        self,
        params: Mapping[str, Any],
        writer: Writer,
        *,
        extra: dict[str, Any] | None = None,
    ) -> Page:
        """Run it: `params` are loaded query parameters; None means not asked."""
        ask = ListRequest(self, {key: value for key, value in params.items() if value is not None})
        if ask.by_relevance:
            return self._relevance_page(ask, writer, extra)
        if ask.is_too_deep:
            total = int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])
            return Page(self.name, [], ask.per_page, False, ask.page, total, extra=extra)
        rows = self._rows(ask)
        if self._is_few(ask, len(rows)) and ask.widen():
            rows = self._rows(ask)
        has_more, rows = len(rows) > ask.per_page, rows[: ask.per_page]
        items = [writer(row) for row in rows]
        if ask.shape.keyset:
            return self._keyset_page(ask, rows, items, has_more=has_more, extra=extra)
        total = self._total(ask, rows, has_more)
        has_more = has_more and ask.offset + ask.per_page < COUNT_BOUND
        return Page(self.name, items, ask.per_page, has_more, ask.page, total, extra=extra)

    def page_of_at_least(self, least: int | None, params: Mapping[str, Any], writer: Writer) -> Page:
        """As `page`; where the circle that is asked for holds fewer than `least` rows, of the first of WIDER_KM that
        holds so many (else the widest), with `effective_radius` (km) and `radius_expanded` beside the items."""
        if least is None or params.get("latitude") is None:
            return self.page(params, writer)
        asked = params["radius"]
        circles = [asked, *(km for km in WIDER_KM if km > asked)]
        enough = (km for km in circles if self.total({**params, "radius": km}) >= least)
        radius = next(enough, circles[-1])
        told = {"effective_radius": radius, "radius_expanded": radius > asked}
        return self.page({**params, "radius": radius}, writer, extra=told)

    def by_ids(self, ids: Sequence[int], params: Mapping[str, Any], writer: Writer) -> dict[int, dict[str, Any]]:
        """Those of these (the filter `ids`) that fit, by id; at most as many as a page holds."""
        page = self.page({**params, "ids": ids, "per_page": len(ids)}, writer)
        return {item["id"]: item for item in page.items}

    def best(self, params: Mapping[str, Any]) -> list[SearchHit]:
        """The nearest or newest rows that fit (MOST_CANDIDATES of them), the best first; `as_of` leaves out later
        ones; `q` may be understood already. Rows have `id`, `created_at`, `search_text`, `title_0`, `title_1` …"""
        ask = ListRequest(self, {"as_of": now(), **{key: value for key, value in params.items() if value is not None}})
        return self._best(ask)

    def latest(self, params: Mapping[str, Any], most: int) -> list[TitledRow]:
        """Of the latest rows with the words `q` the newest that fit; only what they are called."""
        ask = ListRequest(self, {key: value for key, value in params.items() if value is not None})
        return fetch_as(TitledRow, self._built_once("latest", ask.shape), {**ask.binds, "limit_rows": most})

    def facets(self, params: Mapping[str, Any], by: Iterable[str], amount: ColumnElement[Any]) -> Facets:
        """How what the filters leave divides by each of these columns and by currency, in one pass: how many there are
        of each combination is added up here."""
        ask = ListRequest(self, {key: value for key, value in params.items() if value is not None})
        key = ("facets", *by, str(amount), ask.shape)
        if key not in self.built:
            self.built[key] = self._build_facets(ask.shape, by, amount)
        return add_up(fetch_as(FacetRow, self.built[key], ask.binds), by)

    def total(self, params: Mapping[str, Any]) -> int:
        """How many rows the filters leave, counted no further than COUNT_BOUND + 1."""
        ask = ListRequest(self, {key: value for key, value in params.items() if value is not None})
        return int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])

    def _rows(self, ask: ListRequest) -> list[AnyRow]:
        """The nearest of half the world are looked for around the corner first: a small circle that holds a page
        holds the nearest ones."""
        for shape, binds in ask.smaller_circles():
            rows = fetch_as(AnyRow, self._built_once("rows", shape), binds)
            if len(rows) > ask.per_page:
                ask.is_circle_smaller = True
                return rows
        return fetch_as(AnyRow, self._built_once("rows", ask.shape), ask.binds)

    def _relevance_page(self, ask: ListRequest, writer: Writer, extra: dict[str, Any] | None) -> Page:
        finds = self._best(ask)
        if len(finds) < FEW and not ask.shape.continued and ask.widen():
            finds = self._best(ask)
        left = [find for find in finds if _rank(find) > ask.after] if ask.after else finds[ask.offset :]
        shown, has_more = left[: ask.per_page], len(left) > ask.per_page
        # As many ids as a page has: a statement of its own for each number of finds would be planned anew.
        ids = [find.row.id for find in shown]
        binds = {**ask.binds, "found": ids + [0] * (ask.per_page - len(ids))}
        rows = {row.id: row for row in fetch(self._built_once("found", ask.shape), binds)} if shown else {}
        items = [writer(rows[find.row.id]) for find in shown if find.row.id in rows]
        if not ask.params.get("cursor"):
            capped = len(finds) >= MOST_CANDIDATES
            return Page(self.name, items, ask.per_page, has_more, ask.page, len(finds), extra=extra, is_capped=capped)
        last = [ask.params["as_of"], ask.asked.reading, shown[-1].why.score, shown[-1].row.id] if has_more else []
        cursor = encode_cursor(ask.scope, last) if has_more else None
        return Page(self.name, items, ask.per_page, has_more, next_cursor=cursor, by_cursor=True, extra=extra)

    def _is_few(self, ask: ListRequest, found: int) -> bool:
        """Whether fewer than FEW rows have the words, so that the words may be slips."""
        if "q" not in ask.shape.filters or ask.shape.continued:
            return False
        if not ask.offset:
            return found < FEW
        return not found and int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0]) < FEW

    def _best(self, ask: ListRequest) -> list[SearchHit]:
        assert self.ranked is not None
        rows = self._candidates(ask, {})
        if len(rows) == MOST_CANDIDATES:  # the newest may only begin with the words, and hide older ones that have them
            exact = self._candidates(ask, {"match": match_query(ask.asked, firmly=True)})
            rows = list({row.id: row for row in (*rows, *exact)}.values())
        titles, has_distance = len(self.ranked.title), bool(ask.shape.boxes)
        ranker, moment = Ranker(ask.asked), ask.params["as_of"]
        return sorted((_find(ranker, row, titles, has_distance, moment) for row in rows), key=_rank)

    def _candidates(self, ask: ListRequest, match: JsonObject) -> list[AnyRow]:
        """The nearest or newest rows to rank; the nearest are looked for around the corner first, as in `_rows`."""
        rows: list[AnyRow] = []
        for shape, binds in (*ask.smaller_circles(), (ask.shape, ask.binds)):
            bound = {**binds, **match, "limit_rows": MOST_CANDIDATES}
            rows = fetch_as(AnyRow, self._built_once("ranking", shape), bound)
            if len(rows) == MOST_CANDIDATES:
                break
        return rows

    def _keyset_page(
        self, ask: ListRequest, rows: list[AnyRow], items: list[dict[str, Any]], *, has_more: bool, extra: Any
    ) -> Page:
        keys = [getattr(rows[-1], f"key_{i}") for i in range(len(ask.shape.order))] if has_more else []
        cursor = encode_cursor(ask.scope, [ask.asked.reading, *keys, rows[-1].id]) if has_more else None
        return Page(self.name, items, ask.per_page, has_more, next_cursor=cursor, by_cursor=True, extra=extra)

    def _total(self, ask: ListRequest, rows: list[AnyRow], has_more: bool) -> int:
        if rows and not has_more:
            return ask.offset + len(rows)
        if rows and ask.shape.boxes and not ask.is_circle_smaller:
            return int(rows[0].matched)
        if not rows and ask.page == 1:
            return 0
        return int(fetch(self._built_once("count", ask.shape), ask.binds)[0][0])

    def _built_once(self, kind: str, shape: QueryShape) -> Statement:
        statement = self.built.get((kind, shape))
        if statement is None:
            build: Callable[[QueryShape], Statement] = getattr(self, f"_build_{kind}")
            statement = self.built[kind, shape] = build(shape)
        return statement

    def _build_ranking(self, shape: QueryShape) -> Statement:
        assert self.ranked is not None
        owner = self.ranked.owner.c
        chosen = [*(self.table.c[name] for name in ("id", "created_at", "search_text")), owner.rating_sum]
        chosen += [owner.reviews_count, *(part.label(f"title_{i}") for i, part in enumerate(self.ranked.title))]
        found = self._build_rows(replace(shape, keyset=True, continued=False), chosen, keys_shown=False)
        return found.where(owner.is_active == true())  # what a banned person put up is taken down a moment later

    def _build_latest(self, shape: QueryShape) -> Statement:
        assert self.ranked is not None
        titles = [part.label(f"title_{i}") for i, part in enumerate(self.ranked.title)]
        seen = self._conditions(replace(shape, filters=shape.filters - {"q"}))
        page = select(self.table.c.id, *titles).select_from(self.joined if self.joined is not None else self.table)
        page = page.where(self.table.c.id.in_(latest_matches(self.table.name)), *seen, self.ranked.owner.c.is_active)
        return page.order_by(self.table.c.created_at.desc(), self.table.c.id.desc()).limit(bindparam("limit_rows"))

    def _build_found(self, shape: QueryShape) -> Statement:
        source = self.joined if self.joined is not None else self.table
        far = [near.distance(self._lat, self._lng).label("distance")] if shape.boxes else []
        # They were near enough when they were found; a plan for any circle would read it instead of these ids.
        seen = replace(shape, filters=shape.filters - {"q"}, boxes=0)
        page = select(*self.columns, *far).select_from(source).where(*self._conditions(seen))
        return page.where(self.table.c.id.in_(bindparam("found", expanding=True)))

    def _build_facets(self, shape: QueryShape, by: Iterable[str], amount: ColumnElement[Any]) -> Statement:
        columns = [self.table.c[name] for name in (*by, "currency")]
        ends = (func.count().label("count"), func.min(amount).label("least"), func.max(amount).label("most"))
        return select(*columns, *ends).where(*self._conditions(shape)).group_by(*columns)

    def _build_count(self, shape: QueryShape) -> Select[int]:
        matched = select(self.table.c.id).where(*self._conditions(shape)).limit(COUNT_BOUND + 1)
        return select(func.count()).select_from(matched.subquery())

    def _build_rows(
        self, shape: QueryShape, columns: Sequence[ColumnElement[Any]] | None = None, *, keys_shown: bool = True
    ) -> Statement:
        inner = self._build_inner(shape)
        source = inner.join(self.joined if self.joined is not None else self.table, self.table.c.id == inner.c.id)
        keys = [inner.c[f"key_{i}"] for i in range(len(shape.order))]
        chosen = [*(columns or self.columns), *(keys if shape.keyset and keys_shown else ())]
        if shape.boxes:
            by_distance = next((k for k, name in zip(keys, shape.order, strict=True) if bare(name) == "distance"), None)
            chosen.append((inner.c.distance if by_distance is None else by_distance).label("distance"))
            chosen += [inner.c.matched] if "matched" in inner.c else []
        return select(*chosen).select_from(source).order_by(*_ordering(keys, shape.order, inner.c.id))

    def _build_inner(self, shape: QueryShape) -> Subquery:
        keys = [self._key(name).label(f"key_{i}") for i, name in enumerate(shape.order)]
        chosen = [self.table.c.id, *keys]
        if shape.boxes and "distance" not in map(bare, shape.order):
            chosen.append(near.distance(self._lat, self._lng).label("distance"))
        if shape.boxes and not shape.keyset:
            chosen.append(func.count().over().label("matched"))
        page = select(*chosen).where(*self._conditions(shape))
        if self.joined is not None and any(self._is_elsewhere(name) for name in shape.order):
            page = page.select_from(self.joined)
        if shape.continued:
            page = page.where(_after([key.element for key in keys], shape.order, self.table.c.id))
        page = page.order_by(*_ordering(keys, shape.order, self.table.c.id)).limit(bindparam("limit_rows"))
        return (page if shape.keyset else page.offset(bindparam("offset_rows"))).subquery("page")

    def _is_elsewhere(self, name: str) -> bool:
        """Whether a sort key is a column of the joined owner, which needs the join before the LIMIT."""
        return getattr(self.sorts.get(bare(name)), "table", self.table) is not self.table

    def _key(self, name: str) -> ColumnElement[Any]:
        return near.distance(self._lat, self._lng) if bare(name) == "distance" else self.sorts[bare(name)]

    def _conditions(self, shape: QueryShape) -> list[ColumnElement[bool]]:
        asked = [self.filters[name] for name in self.filters if name in shape.filters]
        found = [condition() if callable(condition) else condition for condition in asked]
        if shape.boxes:
            found += near.within(self._lat, self._lng, shape.boxes)
        if "as_of" in shape.filters:
            found.append(self.table.c.created_at <= bindparam("as_of", type_=UTCDateTime()))
        return found

    @property
    def _lat(self) -> ColumnElement[float]:
        return self.table.c[self.position[0]]

    @property
    def _lng(self) -> ColumnElement[float]:
        return self.table.c[self.position[1]]


def equal_to(columns: Any, *names: str) -> dict[str, ColumnElement[bool]]:
    """Filters by parameters that are called as the columns they have to equal."""
    return {name: columns[name] == bindparam(name) for name in names}


def _find(ranker: Ranker, row: Any, titles: int, has_distance: bool, moment: datetime) -> SearchHit:
    """Columns by their places in `_build_ranking`: of hundreds of rows a name each costs more than the judgement."""
    _, created_at, text, rating_sum, reviews, *more = row
    km = more[titles] if has_distance else None
    reason = ranker.why(
        title=more[:titles],
        text=text,
        km=km,
        age_days=(moment - created_at).total_seconds() / DAY,
        rating_sum=rating_sum,
        reviews=reviews,
    )
    return SearchHit(row, km, reason)


def _rank(find: SearchHit) -> tuple[float, int]:
    return -find.why.score, -find.row.id


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
