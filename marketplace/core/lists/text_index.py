"""A few rows by the text indexes: they end where the index ends, however many rows the table has."""

from sqlalchemy import ScalarSelect, Select, column, func, select

from marketplace.core.database.db import Base, db
from marketplace.core.lists.full_text import matches, rowids

MOST_LATEST, LAST_ROWS = 30, 1000


def any_match(table_name: str, parameter: str) -> ScalarSelect[int]:
    """The id of one row with the words, the first."""
    if db.engine.dialect.name == "sqlite":
        return rowids(table_name, parameter).order_by(column("rowid")).limit(1).scalar_subquery()
    # With LIMIT 1 beside the words the planner reads the table instead of the index.
    hits = select(Base.metadata.tables[table_name].c.id).where(matches(table_name, parameter))
    kept = hits.cte(f"hits_{parameter}").prefix_with("MATERIALIZED")
    return select(func.min(kept.c.id)).scalar_subquery()


def latest_matches(table_name: str) -> Select[int]:
    """The ids of the MOST_LATEST newest rows with the words.

    No text index of Postgres is in the order of ids: common words are found among the last rows, for rare ones the
    index is read to its end. Asked for the newest with a LIMIT, the planner walks the table where nothing has them."""
    if db.engine.dialect.name == "sqlite":
        return rowids(table_name).order_by(column("rowid").desc()).limit(MOST_LATEST)
    source, fits = Base.metadata.tables[table_name], matches(table_name)
    last = select(source.c.id, fits.label("fits")).order_by(source.c.id.desc()).limit(LAST_ROWS).subquery()
    common = select(last.c.id).where(last.c.fits).limit(MOST_LATEST).cte("common").prefix_with("MATERIALIZED")
    are_few = select(func.count()).select_from(common).scalar_subquery() < MOST_LATEST
    rare = select(source.c.id).where(fits, are_few).cte("rare").prefix_with("MATERIALIZED")
    found = select(common.c.id).union(select(rare.c.id)).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(MOST_LATEST)
