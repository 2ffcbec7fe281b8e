"""Full text on both databases behind one function: FTS5 with triggers, stored tsvectors with GIN.

Both index the same folded text (kit/text.py) without a stemmer; what a query's words stand for (stems,
neighbours of misspelt ones) is decided here, so that a query finds the same rows on both.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    column,
    delete,
    event,
    func,
    literal_column,
    select,
    table,
    text,
    update,
)

from marketplace.core.db import Base, db, execute, fetch, in_transaction
from marketplace.core.vocabulary import KnownWord, vocabulary
from marketplace.kit.text import MAX_QUERY_WORDS, fold, stem, words

SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")
MOST_CORRECTED = 4  # words of one query: looking for neighbours takes some milliseconds each
AT_ONCE = 1000
MOST_CANDIDATES = 500  # are ranked; the nearest or newest of what fits
MOST_SPELT, SHORTEST_KNOWN = 64, 3  # words, letters
LONG = 5  # letters: shorter ones that begin a word are taken for unfinished
SYNONYMS = Path(__file__).with_name("synonyms.toml")
INDEXED = ("listings", "tasks", "offerings", "users")
NO_MATCH = "\u0001"  # a query of emoji or signs only: a word no text contains
Indexed = Callable[[Mapping[str, Any]], dict[str, str]]  # from a row's values to its columns of folded words
KEPT: dict[str, tuple[list[str], Indexed]] = {}
PART = re.compile(r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was typed (folded) and beginnings of the words it stands for: its own `forms`, words that mean
    the `same`, and `near` ones where it looks like a slip."""

    typed: str
    forms: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def meanings(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.forms, *self.same, *self.near)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed: words (all, or `any_word`); "exact phrases"; -words that must be absent."""

    words: tuple[Word, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    without: tuple[tuple[str, ...], ...] = ()
    any_word: bool = False

    @property
    def corrected(self) -> str | None:
        """What was looked for instead, where a word is one that nobody has written."""
        meant = [word.typed if word.forms or not word.near else word.near[0] for word in self.words]
        return " ".join(meant) if meant != [word.typed for word in self.words] else None

    @property
    def relaxed(self) -> "Asked | None":
        """Any of several words rather than all of them."""
        return replace(self, any_word=True) if len(self.words) > 1 else None


def keep_indexed(model: type[Base], indexed: Indexed) -> None:
    """Whatever writes a row of `model` writes with it what a search looks through; bulk inserts do so themselves."""
    names = _written(model)
    KEPT[model.__tablename__] = names, indexed

    def write(_mapper: Any, _connection: Any, row: Any) -> None:
        for name, text_ in indexed({name: getattr(row, name) for name in names}).items():
            setattr(row, name, text_)

    event.listen(model, "before_insert", write)
    event.listen(model, "before_update", write)


def rebuild() -> int:
    """Write anew what a search looks through where it is not what it should be, in batches; how many rows were not."""
    return sum(_rebuild(Base.metadata.tables[name], *kept) for name, kept in KEPT.items())


def matches(table_name: str, parameter: str = "match") -> ColumnElement[bool]:
    """A condition on `table_name` with a parameter made by `match_query` or `match_words`."""
    source = Base.metadata.tables[table_name]
    if db.engine.dialect.name == "sqlite":
        index = table(f"{table_name}_search", column("rowid"), column("search_text"))
        hits = select(index.c.rowid).where(index.c.search_text.op("MATCH")(bindparam(parameter)))
        return source.c.id.in_(hits)
    vector: ColumnElement[Any] = literal_column(f"{table_name}.search_vector")
    return vector.op("@@")(func.to_tsquery(SIMPLE, bindparam(parameter)))


def match_query(asked: Asked) -> str:
    """What was typed in the database's own syntax; operators typed by people are text."""
    return _fts5(asked) if db.engine.dialect.name == "sqlite" else _tsquery(asked)


def match_words(beginnings: Iterable[str]) -> str:
    """All of these folded beginnings of words, as they are."""
    return match_query(Asked(words=tuple(Word(word, (word,)) for word in beginnings)))


def understand(typed: str) -> Asked:
    """Read a query: all words, each also as a beginning; a word nobody has written stands for its neighbours."""
    plain: list[str] = []
    phrases: list[tuple[str, ...]] = []
    without: list[tuple[str, ...]] = []
    for part in PART.finditer(typed[:1000]):
        found = tuple(words(part["phrase"] if part["phrase"] is not None else part["word"]))
        if not found:
            continue
        if part["minus"]:
            without.append(found)
        elif part["phrase"] is not None:
            phrases.append(found)
        else:
            plain += found
    vocabulary().refresh()
    wanted, corrections = list(dict.fromkeys(plain))[:MAX_QUERY_WORDS], iter(range(MOST_CORRECTED))
    meant = tuple(_meant(word, corrections) for word in wanted)
    return Asked(meant, tuple(phrases[:MAX_QUERY_WORDS]), tuple(without[:MAX_QUERY_WORDS]))


def _meant(word: str, corrections: Iterator[int]) -> Word:
    known, root = vocabulary(), stem(word)
    forms = tuple(dict.fromkeys(form for form in (word, root) if known.knows(form)))
    same = synonyms().get(root, ())
    is_written = any(stem(one) == root for one in known.completions(root, 100)) or bool(same)
    # What only begins longer words may be unfinished, or a slip.
    is_slip = not is_written and not (forms and len(word) < LONG) and next(corrections, None) is not None
    near = tuple(known.neighbours(word)) if is_slip else ()
    return Word(word, forms if forms or near else (word,), same, near)


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """From the stem of a word to the stems of those that mean the same (synonyms.toml)."""
    groups = tomllib.loads(SYNONYMS.read_text(encoding="utf-8"))["same"]
    stems = [tuple(dict.fromkeys(stem(fold(word)) for word in group.split())) for group in groups]
    return {one: tuple(other for other in group if other != one) for group in stems for one in group}


def compact() -> None:
    """On SQLite words of rows that are gone stay inside the index until its segments are merged."""
    if db.engine.dialect.name == "sqlite":
        for name in INDEXED:
            merge = text(f"INSERT INTO {name}_search({name}_search) VALUES ('optimize')")
            in_transaction(partial(execute, merge))


def forget_words(texts: Iterable[str]) -> None:
    """These texts are gone: words that nobody else has written are known no longer."""
    for word in sorted({word for text_ in texts for word in text_.split()}):
        if not any(_stands_in(name, word) for name in INDEXED):
            execute(delete(KnownWord).where(KnownWord.word == word))


def _written(model: type[Base]) -> list[str]:
    return [column_.name for column_ in Base.metadata.tables[model.__tablename__].columns if column_.computed is None]


def _rebuild(source: Table, names: list[str], indexed: Indexed) -> int:
    last, wrong = 0, 0
    some = select(*(source.c[name] for name in names)).order_by(source.c.id).limit(AT_ONCE)
    while rows := fetch(some.where(source.c.id > last)):
        last = rows[-1].id
        for row in rows:
            meant = indexed(row._asdict())
            if any(getattr(row, name) != text_ for name, text_ in meant.items()):
                wrong += 1
                in_transaction(partial(execute, update(source).where(source.c.id == row.id).values(meant)))
    return wrong


def _stands_in(name: str, word: str) -> bool:
    source = Base.metadata.tables[name]
    exact = _fts5(Asked(phrases=((word,),))) if db.engine.dialect.name == "sqlite" else f"'{word}'"
    return bool(fetch(select(source.c.id).where(matches(name)).limit(1), {"match": exact}))


def _fts5(asked: Asked) -> str:
    wanted = [_any(_spelt(word, '"{}"', '"{}"*')) for word in asked.words]
    wanted = [_any(wanted)] if asked.any_word and wanted else wanted
    wanted += ['"' + " ".join(phrase) + '"' for phrase in asked.phrases]
    if not wanted:
        return f'"{NO_MATCH}"'
    unwanted = ['"' + " ".join(phrase) + '"' for phrase in asked.without]
    return _all(wanted, " AND ") + (f" NOT {_any(unwanted)}" if unwanted else "")


def _tsquery(asked: Asked) -> str:
    wanted = [_any(_spelt(word, "'{}'", "'{}':*"), " | ") for word in asked.words]
    wanted = [_any(wanted, " | ")] if asked.any_word and wanted else wanted
    wanted += [_phrase(phrase) for phrase in asked.phrases]
    if not wanted:
        return f"'{NO_MATCH}'"
    return _all([*wanted, *(f"!{_phrase(phrase)}" for phrase in asked.without)], " & ")


def _spelt(word: Word, whole: str, beginning: str) -> list[str]:
    """Its meanings, where few words begin so as these words: an index reads a beginning to its end, and whole
    words only as far as the others of the query have a row too (on Postgres at 2,000,000 rows 2 ms against 40)."""
    known, spelt = vocabulary(), dict.fromkeys([whole.format(word.typed)])
    for meaning in word.meanings:
        few = known.completions(meaning, MOST_SPELT + 1) if len(meaning) >= SHORTEST_KNOWN else ()
        if 0 < len(few) <= MOST_SPELT:
            spelt |= dict.fromkeys(whole.format(one) for one in (meaning, *few))
        else:
            spelt[beginning.format(meaning)] = None
    return list(spelt)


def _phrase(phrase: tuple[str, ...]) -> str:
    return "(" + " <-> ".join(f"'{word}'" for word in phrase) + ")"


def _any(parts: Iterable[str], joint: str = " OR ") -> str:
    return "(" + joint.join(parts) + ")"


def _all(parts: list[str], joint: str) -> str:
    return "(" + joint.join(parts) + ")"
