"""The category tree, cached in the process for half a minute."""

from collections import defaultdict
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, bindparam, or_, select

from marketplace.catalog.models import Category
from marketplace.core.cache.shared_cache import Kept
from marketplace.core.database.db import fetch
from marketplace.core.lists.list_query import equal_to
from marketplace.kit.errors import Invalid
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import split_list, unescaped

KEPT_SECONDS = 30
OTHER = "other"
MOST_AT_ONCE = 20


class Tree:
    """Categories by key, by alias and by parent."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = {row.key: row for row in rows}
        self.aliases = {alias: row.key for row in rows for alias in row.aliases}
        self.children: dict[str | None, list[Any]] = defaultdict(list)
        for row in rows:
            self.children[row.parent_key].append(row)

    def resolve(self, key: str) -> str | None:
        """A known key, or the category of an alias, or None."""
        return key if key in self.rows else self.aliases.get(key)

    def below(self, key: str) -> list[str]:
        """The key and every key under it."""
        return [key, *(k for child in self.children[key] for k in self.below(child.key))]

    def path(self, key: str) -> list[str]:
        """The key and its parents up to the root."""
        row = self.rows.get(key)
        return [] if row is None else [key, *(self.path(row.parent_key) if row.parent_key else [])]


class KeptTree:
    """The cached tree, for the other slices."""

    def __init__(self) -> None:
        self._kept = Kept(_load, KEPT_SECONDS)

    def resolve(self, key: str) -> str | None:
        """See `Tree.resolve`."""
        return self._kept.get().resolve(key)

    def knows(self, key: str) -> bool:
        """Whether it is a key of the tree."""
        return key in self._kept.get().rows

    def name(self, key: str) -> str:
        """The node's name; the key itself where it is not in the tree."""
        row = self._kept.get().rows.get(key)
        return row.name if row is not None else key

    def path(self, key: str) -> list[str]:
        """See `Tree.path`."""
        return self._kept.get().path(key)

    def filter(self, key: str | None) -> JsonObject:
        """List parameters for the category a client asks for: a key, several with commas between them (any of them is
        meant), or unknown ones, which are stored under `other`, named as subcategory. Raises Invalid (422)."""
        wanted, tree = [one.lower() for one in split_keys(key)], self._kept.get()
        if not wanted:
            return {}
        known = [resolved for one in wanted if (resolved := tree.resolve(one)) is not None]
        keys = list(dict.fromkeys(below for one in known for below in tree.below(one)))
        unknown = [one[:60] for one in wanted if tree.resolve(one) is None]
        if not unknown:
            return {"category": keys[0]} if len(keys) == 1 else {"categories": keys}
        if not known and len(unknown) == 1:
            return {"category": OTHER, "subcategory": unknown[0]}
        return {"some_categories": {"some_known": keys, "some_unknown": unknown}}

    def nested(self, kind: str | None) -> list[JsonObject]:
        """The whole tree, or the part for one kind of thing."""
        return _nested(self._kept.get(), None, kind)

    def forget(self) -> None:
        """Drop the cache."""
        self._kept.forget()


def tree() -> KeptTree:
    """This application's tree."""
    kept: KeptTree = current_app.extensions.setdefault("categories", KeptTree())
    return kept


def split_keys(text: str | None) -> list[str]:
    """`cleaning, moving` → the keys as they were typed (%2C is a comma inside one), each once; raises Invalid (422) for
    more than MOST_AT_ONCE."""
    keys = [unescaped(part) for part in split_list(text)]
    if len(keys) > MOST_AT_ONCE:
        raise Invalid.field("category", f"At most {MOST_AT_ONCE} categories at once.")
    return keys


def category_filters(things: Any) -> dict[str, ColumnElement[bool]]:
    """The list filters for the parameters that `KeptTree.filter` gives."""
    return {
        **equal_to(things, "category"),
        "categories": things.category.in_(bindparam("categories", expanding=True)),
        "some_categories": or_(
            things.category.in_(bindparam("some_known", expanding=True)),
            (things.category == OTHER) & things.subcategory.in_(bindparam("some_unknown", expanding=True)),
        ),
        **equal_to(things, "subcategory"),
    }


def view(row: Any) -> JsonObject:
    """A node as JSON."""
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "parent_key": row.parent_key,
        "kinds": row.kinds,
        "aliases": row.aliases,
        "position": row.position,
    }


def _nested(tree: Tree, parent: str | None, kind: str | None) -> list[JsonObject]:
    nodes = [row for row in tree.children[parent] if kind is None or kind in row.kinds]
    return [{**view(row), "children": _nested(tree, row.key, kind)} for row in nodes]


def _load() -> Tree:
    table = Category.__table__
    return Tree(fetch(select(table).order_by(table.c.position, table.c.name)))
