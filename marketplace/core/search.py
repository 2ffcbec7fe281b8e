"""Full text on both databases behind one function: FTS5 with triggers, tsvector with GIN.

Both index the same folded text (kit/text.py) without a stemmer, so a query finds the same rows.
"""

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, bindparam, column, func, literal_column, select, table, text

from marketplace.core.db import Base, db, execute, in_transaction
from marketplace.kit.text import words

SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")  # spelt as in the index, or it is not used
INDEXED = ("listings", "tasks", "offerings")
NO_MATCH = "\u0001"  # a query of emoji or signs only: a word no text contains


def matches(table_name: str) -> ColumnElement[bool]:
    """A condition on `table_name` with the parameter `match` (see `match_query`)."""
    source = Base.metadata.tables[table_name]
    if db.engine.dialect.name == "sqlite":
        index = table(f"{table_name}_search", column("rowid"), column("search_text"))
        hits = select(index.c.rowid).where(index.c.search_text.op("MATCH")(bindparam("match")))
        return source.c.id.in_(hits)
    document = func.to_tsvector(SIMPLE, source.c.search_text)
    return document.op("@@")(func.to_tsquery(SIMPLE, bindparam("match")))


def compact() -> None:
    """On SQLite words of rows that are gone stay inside the index until its segments are merged."""
    if db.engine.dialect.name == "sqlite":
        for name in INDEXED:
            merge = text(f"INSERT INTO {name}_search({name}_search) VALUES ('optimize')")
            in_transaction(partial(execute, merge))


def match_query(text: str) -> str:
    """All words, each as a prefix, in the database's own syntax; operators typed by people are text."""
    found = words(text) or [NO_MATCH]
    if db.engine.dialect.name == "sqlite":
        return " ".join(f'"{word}"*' for word in found)
    return " & ".join(f"'{word}':*" for word in found)
