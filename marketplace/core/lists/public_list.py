"""What a list on offer to everybody gives to the search: finds, titles, facets, and what is new for saved searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from marketplace.core.database.db import first_as
from marketplace.core.lists.facets import Facets
from marketplace.core.lists.list_query import ListQuery, PostedRow, TitledRow
from marketplace.core.lists.ranking import SearchHit

SAVED_SEARCHES_READ = ("id", "title", "search_text", "category", "latitude", "longitude", "created_at")


@dataclass(frozen=True, slots=True)
class PublicList:
    """The part of a list that everybody may see; `on_view` turns a search's parameters into the list's.

    `facets_by` and `amount`: what it divides by; `owner`: whose a row is; `posted`: what a row has to be to be news."""

    browse: ListQuery
    on_view: Callable[[dict[str, Any]], dict[str, Any]]
    facets_by: Sequence[str]
    amount: ColumnElement[Any]
    owner: ColumnElement[int]
    posted: Sequence[ColumnElement[bool]]

    def best(self, **query: Any) -> list[SearchHit]:
        """What everybody may see and a search finds, the best first."""
        return self.browse.best(self.on_view(query))

    def latest(self, most: int, **query: Any) -> list[TitledRow]:
        """The newest that everybody may see of the latest rows with the words; `title_0` is the title."""
        return self.browse.latest(self.on_view(query), most)

    def facets(self, **query: Any) -> Facets:
        """How what everybody may see divides."""
        return self.browse.facets(self.on_view(query), self.facets_by, self.amount)

    def newly_posted(self, thing_id: int) -> PostedRow | None:
        """One to be compared with saved searches; None where nobody sees it any more."""
        table = self.browse.table
        columns = [*(table.c[name] for name in SAVED_SEARCHES_READ), self.owner.label("owner_id")]
        return first_as(PostedRow, select(*columns).where(table.c.id == thing_id, *self.posted))
