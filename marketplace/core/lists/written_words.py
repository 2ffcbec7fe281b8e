"""How known words are written, with their accents: looked up in one of the texts that have each, and remembered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from marketplace.core.database.db import Base, db, fetch
from marketplace.core.lists.full_text import KEPT, SAID, SearchQuery, match_query
from marketplace.core.lists.text_index import any_match
from marketplace.core.lists.vocabulary import vocabulary
from marketplace.kit.text import spellings

AT_ONCE = 8
_built: dict[tuple[str, str], Select[Any]] = {}


def as_written(words: Sequence[str]) -> list[str]:
    """Known words with their accents, as one of the texts that have each writes it."""
    known = vocabulary().written
    new = [word for word in words if word not in known]
    for start in range(0, len(new), AT_ONCE):
        known.update(_look_up(new[start : start + AT_ONCE]))
    return [known[word] for word in words]


def _look_up(words: list[str]) -> dict[str, str]:
    """At most AT_ONCE words: table by table, until each is found."""
    found: dict[str, str] = {}
    for name in SAID:
        if wanted := [word for word in words if word not in found]:
            pairs = [pair for said in _texts_with(name, wanted) for pair in spellings(said)]
            found |= {folded: written for folded, written in reversed(pairs) if folded in wanted}
    return {**{word: word for word in words}, **found}


def _texts_with(name: str, words: list[str]) -> list[str]:
    exact = [SearchQuery(phrases=((word,),)) for word in words] + [SearchQuery()] * (AT_ONCE - len(words))
    binds = {f"match_{place}": match_query(asked) for place, asked in enumerate(exact)}
    rows = fetch(_statement(name), binds)
    return [" ".join(filter(None, SAID[name](row._asdict()))) for row in rows]


def _statement(name: str) -> Select[Any]:
    """One statement for all of them; the first row of each."""
    key = (name, db.engine.dialect.name)
    if key not in _built:
        source = Base.metadata.tables[name]
        ids = [any_match(name, f"match_{place}") for place in range(AT_ONCE)]
        some = select(*(source.c[one] for one in KEPT[name][0]))
        _built[key] = some.where(source.c.id.in_(ids)).order_by(source.c.id)
    return _built[key]
