"""Full text on both databases behind one function: FTS5 with triggers, stored tsvectors with GIN.

Both index the same folded text (kit/text.py) without a stemmer; what a query's words stand for (stems,
neighbours of misspelt ones) is decided here, so that a query finds the same rows on both.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import filterfalse
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    event,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.core.lists.vocabulary import MOST_NEIGHBOURS, KnownWord, vocabulary
from marketplace.kit.errors import Invalid
from marketplace.kit.text import (
    MAX_QUERY_WORDS,
    Term,
    is_named,
    is_unspaced,
    is_word,
    parts,
    phrase,
    stem,
    terms,
)
from marketplace.kit.unicode_fold import fold

MOST_CORRECTED = 4  # words of one query: looking for neighbours takes some milliseconds each
AT_ONCE = 1000
SAMPLE = 50  # rows of a table tell whether it was indexed by this version: the oldest were there before it
MOST_CANDIDATES = 500  # are ranked; the nearest or newest of what fits
MOST_SPELT, SHORTEST_KNOWN = 64, 3  # words, letters
FEW, SHORTEST_SLIP, LONGEST_WORD = 5, 4, 40
LONG = 5  # letters: shorter ones that begin a word are taken for unfinished
SYNONYMS = Path(__file__).with_name("synonyms.toml")
NO_MATCH = "\u0001"  # a query of emoji or signs only: a word no text contains
Indexed = Callable[[Mapping[str, Any]], dict[str, str]]  # from a row's values to its columns of folded words
Said = Callable[[Mapping[str, Any]], list[str | None]]  # the texts of a row that are searched, as they are written
KEPT: dict[str, tuple[list[str], Indexed]] = {}
SAID: dict[str, Said] = {}
MOST_APART = 3


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was typed (folded), perhaps unfinished; its `root`; roots of words that mean the `same`; and words
    it is `near` to where it looks like a slip; how it is written `apart`, and the `wholes` it is a part of.
    `is_known`: somebody has written it, or a longer one."""

    typed: str
    root: str
    same: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    is_known: bool = True
    apart: tuple[tuple[str, ...], ...] = ()
    wholes: tuple[str, ...] = ()

    @property
    def is_letter(self) -> bool:
        """A single letter or figure stands for itself: half of all words begin so, and C is not C++."""
        return len(self.typed) == 1 and not is_unspaced(self.typed)

    @property
    def may_be_slip(self) -> bool:
        """Whether it is long enough to be misspelt, and no name with signs (F# is no slip of C#)."""
        return len(self.typed) >= SHORTEST_SLIP and not is_named(self.typed)

    @property
    def pairs(self) -> "list[Word]":
        """Of a word in a script without spaces each pair of letters; else only itself."""
        if not self.apart or not is_unspaced(self.typed):
            return [self]
        return [Word(pair, pair) for pair in dict.fromkeys(self.apart[0])]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody typed: words (all, or `any_word`); "exact phrases"; -words that must be absent."""

    words: tuple[Word, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    without: tuple[tuple[str, ...], ...] = ()
    any_word: bool = False
    matches: dict[bool, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def corrected(self) -> str | None:
        """What was looked for instead, where a word is one that nobody has written."""
        meant = [word.typed if word.is_known or not word.near else word.near[0] for word in self.words]
        return " ".join(meant) if meant != [word.typed for word in self.words] else None

    @property
    def relaxed(self) -> "SearchQuery | None":
        """The query for any of its words instead of all; None where it has one or is relaxed already."""
        some = tuple(pair for word in self.words for pair in word.pairs)
        return replace(self, words=some, any_word=True) if len(some) > 1 and not self.any_word else None

    @property
    def widened(self) -> "SearchQuery | None":
        """With the neighbours of known words too, which may be a slip that somebody else made before; None where
        there are none."""
        wider, corrections = [], iter(range(MOST_CORRECTED))
        for word in self.words:
            may_be = word.may_be_slip and not word.near and next(corrections, None) is not None
            wider.append(replace(word, near=tuple(vocabulary().neighbours(word.typed))) if may_be else word)
        return replace(self, words=tuple(wider)) if tuple(wider) != self.words else None

    @property
    def reading(self) -> str:
        """How it was understood, for a cursor: what people write meanwhile must not change it from page to page."""
        return ("~" if self.any_word else "=") + ";".join(" ".join(word.near) for word in self.words)

    def read_as(self, reading: str) -> "SearchQuery":
        """The query as a cursor's `reading` says it was understood; raises Invalid (422) for one that is not ours."""
        groups = [part.split() for part in reading[1:].split(";")]
        folded = all(is_word(one) and len(one) <= LONGEST_WORD for group in groups for one in group)
        is_ours = reading[:1] in {"~", "="} and folded and all(len(group) <= MOST_NEIGHBOURS for group in groups)
        begun = (self.relaxed if reading[:1] == "~" else None) or self
        if not is_ours or len(groups) != max(len(begun.words), 1):
            raise Invalid.field("cursor", "This cursor is damaged. Start again with cursor=start.")
        read = (replace(word, near=tuple(near)) for word, near in zip(begun.words, groups, strict=False))
        return replace(self, words=tuple(read), any_word=reading[0] == "~")


def keep_indexed(model: type[Base], indexed: Indexed, said: Said) -> None:
    """Whatever writes a row of `model` writes with it what a search looks through; bulk inserts do so themselves."""
    names = _written(model)
    KEPT[model.__tablename__], SAID[model.__tablename__] = (names, indexed), said

    def write(_mapper: Any, _connection: Any, row: Any) -> None:
        for name, text_ in indexed({name: getattr(row, name) for name in names}).items():
            setattr(row, name, text_)

    event.listen(model, "before_insert", write)
    event.listen(model, "before_update", write)


def rebuild() -> int:
    """Write anew what a search looks through where it is not what it should be, in batches; how many rows were not."""
    return sum(_rebuild(Base.metadata.tables[name], *kept) for name, kept in KEPT.items())


def outdated() -> list[str]:
    """Tables whose oldest rows are indexed as an earlier version folded words; blanked rows are none."""
    return [name for name in KEPT if _is_outdated(Base.metadata.tables[name], *KEPT[name])]


def _is_outdated(source: Table, names: list[str], indexed: Indexed) -> bool:
    some = select(*(source.c[name] for name in names)).where(source.c.search_text != "").order_by(source.c.id)
    rows = fetch(some.limit(SAMPLE))
    return any(indexed(row._asdict())["search_text"] != row.search_text for row in rows)


def matches(table_name: str, parameter: str = "match") -> ColumnElement[bool]:
    """A condition on `table_name` with a parameter made by `match_query` or `match_words`."""
    if db.engine.dialect.name == "sqlite":
        return Base.metadata.tables[table_name].c.id.in_(rowids(table_name, parameter))
    vector: ColumnElement[Any] = literal_column(f"{table_name}.search_vector")
    # A cast takes the words as they are: to_tsquery would read them with a parser of its own.
    return vector.op("@@")(cast(bindparam(parameter, type_=Text()), TSQUERY))


def rowids(table_name: str, parameter: str = "match") -> Select[int]:
    """Ids of rows with the words, on SQLite: FTS5 gives them in their order, so the first or last few cost little."""
    index = table(f"{table_name}_search", column("rowid"), column("search_text"))
    return select(index.c.rowid).where(index.c.search_text.op("MATCH")(bindparam(parameter)))


def match_query(asked: SearchQuery, *, firmly: bool = False) -> str:
    """What was typed in the database's own syntax; operators typed by people are text. `firmly`: the words themselves
    with their endings, nothing they could also stand for. Written once: each kind that is searched asks for it."""
    if firmly not in asked.matches:
        asked.matches[firmly] = (_fts5 if db.engine.dialect.name == "sqlite" else _tsquery)(asked, firmly)
    return asked.matches[firmly]


def match_words(beginnings: Iterable[str]) -> str:
    """The parameter that finds rows with all of these folded beginnings of words."""
    return match_query(SearchQuery(words=tuple(Word(word, word) for word in beginnings)))


def understand(typed: str) -> SearchQuery:
    """Read a query: all words, each also as a beginning; a word nobody has written stands for its neighbours."""
    plain: list[Term] = []
    phrases: list[tuple[str, ...]] = []
    without: list[tuple[str, ...]] = []
    for is_excluded, is_phrase, said in parts(typed[:1000]):
        if is_excluded:
            without += [phrase(said)] if is_phrase else _excluded(said)
        elif is_phrase:
            phrases.append(phrase(said))
        else:
            plain += terms(said)
    vocabulary().refresh()
    wanted, corrections = _joined(plain), iter(range(MOST_CORRECTED))
    meant = tuple(_meant(term, corrections) for term in wanted)
    return SearchQuery(meant, _some(phrases), _some(without))


def _some(found: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple([one for one in found if one][:MAX_QUERY_WORDS])


def _excluded(said: str) -> list[tuple[str, ...]]:
    """What must be absent: the words beside each other, and what is written in one."""
    some = terms(said)
    pieces = tuple(piece for term in some for piece in (term.apart[0] if term.apart else (term.typed,)))
    return [pieces, *((whole,) for whole in dict.fromkeys(whole for term in some for whole in term.wholes))]


def _joined(plain: list[Term]) -> list[Term]:
    """Each word once; two that somebody has written in one are also that one (wi fi, wifi)."""
    known, found = vocabulary(), dict[str, Term]()
    for place, term in enumerate(plain):
        beside = [plain[i].typed + plain[i + 1].typed for i in (place - 1, place) if 0 <= i < len(plain) - 1]
        wholes = (*found.get(term.typed, term).wholes, *term.wholes, *filter(known.has, beside))
        found[term.typed] = replace(term, wholes=tuple(dict.fromkeys(wholes)))
    return list(found.values())[:MAX_QUERY_WORDS]


def _meant(term: Term, corrections: Iterator[int]) -> Word:
    word, apart = term.typed, (*term.apart, *_written_apart(term.typed))
    known, root = vocabulary(), stem(word)
    same = synonyms().get(root, ())
    in_two = not known.has(word) and any(min(map(len, pieces)) >= SHORTEST_KNOWN for pieces in apart)
    # Figures and names with signs are no slips, nor is what others write in two.
    if term.apart or is_unspaced(word) or is_named(word) or in_two:
        return Word(word, root, same, apart=apart, wholes=term.wholes)
    is_written = bool(same) or any(stem(one) == root for one in known.completions(root, 100))
    begins = bool(known.completions(word, 1))
    # What only begins longer words may be unfinished, or a slip.
    is_slip = not is_written and not (begins and len(word) < LONG) and next(corrections, None) is not None
    near = tuple(known.neighbours(word)) if is_slip else ()
    return Word(word, root, same, near, is_written or begins, apart, term.wholes)


def _written_apart(word: str) -> list[tuple[str, str]]:
    """A word in two that are words themselves (airfryer, ebike), or too short to be known as such (wifi)."""
    if len(word) < SHORTEST_SLIP or not word.isalpha() or is_unspaced(word):
        return []
    known = vocabulary()
    halves = [(word[:place], word[place:]) for place in range(1, len(word) - 1)]
    found = [pair for pair in halves if all(known.has(half) for half in pair if len(half) >= SHORTEST_KNOWN)]
    return found[:MOST_APART]


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """From the stem of a word to the stems of those that mean the same (synonyms.toml)."""
    groups = tomllib.loads(SYNONYMS.read_text(encoding="utf-8"))["same"]
    stems = [tuple(dict.fromkeys(stem(fold(word)) for word in group.split())) for group in groups]
    return {one: tuple(other for other in group if other != one) for group in stems for one in group}


def forget_deleted() -> None:
    """SQLite before 3.42 keeps words of rows that are gone until a rebuild; newer ones do not (migration 0027)."""
    if db.engine.dialect.name == "sqlite":
        for name in filterfalse(_deletes_at_once, KEPT):
            in_transaction(partial(execute, text(f"INSERT INTO {name}_search({name}_search) VALUES ('rebuild')")))


def _deletes_at_once(name: str) -> bool:
    return bool(fetch(text(f"SELECT 1 FROM {name}_search_config WHERE k = 'secure-delete' AND v = 1")))


def forget_words(texts: Iterable[str]) -> None:
    """These texts are gone: words that nobody else has written are known no longer."""
    for word in sorted({word for text_ in texts for word in text_.split()}):
        if not any(_stands_in(name, word) for name in KEPT):
            execute(delete(KnownWord).where(KnownWord.word == word))


def sweep_words() -> int:
    """Forget the words that stand in no text any more (of texts that were changed too); how many. Reads all words
    of the indexes, which takes seconds for some hundred thousand rows."""
    on_sqlite = db.engine.dialect.name == "sqlite"
    if on_sqlite:
        for name in KEPT:
            made = f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{name}_terms USING fts5vocab(main, {name}_search, row)"
            db.session.connection().execute(text(made))
        known = " UNION ".join(f"SELECT term FROM temp.{name}_terms" for name in KEPT)
    else:
        execute(text("SET LOCAL statement_timeout = 0"))
        vectors = " UNION ALL ".join(f"SELECT search_vector FROM {name}" for name in KEPT)
        known = f"SELECT word FROM ts_stat('{vectors}')"
    return execute(text(f"DELETE FROM known_words WHERE word NOT IN ({known})"))


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
    exact = match_query(SearchQuery(phrases=((word,),)))
    return bool(fetch(select(source.c.id).where(matches(name)).limit(1), {"match": exact}))


def _fts5(asked: SearchQuery, firmly: bool) -> str:
    wanted = [_any(_spelt(word, '"{}"', '"{}"*', firmly)) for word in asked.words]
    wanted = [_any(wanted)] if asked.any_word and wanted else wanted
    wanted += [_beside(phrase_, '"{}"', "") for phrase_ in asked.phrases]
    if not wanted:
        return f'"{NO_MATCH}"'
    unwanted = [_beside(phrase_, '"{}"', "") for phrase_ in asked.without]
    return _all(wanted, " AND ") + (f" NOT {_any(unwanted)}" if unwanted else "")


def _tsquery(asked: SearchQuery, firmly: bool) -> str:
    wanted = [_any(_spelt(word, "'{}'", "'{}':*", firmly), " | ") for word in asked.words]
    wanted = [_any(wanted, " | ")] if asked.any_word and wanted else wanted
    wanted += [_beside(phrase_, "'{}'", " <-> ") for phrase_ in asked.phrases]
    if not wanted:
        return f"'{NO_MATCH}'"
    unwanted = [_beside(phrase_, "'{}'", " <-> ") for phrase_ in asked.without]
    return _all([*wanted, *map("!{}".format, unwanted)], " & ")


def _spelt(word: Word, whole: str, beginning: str, firmly: bool) -> list[str]:
    """What it stands for, as whole words where they are few: an index reads a beginning to its end, and whole words
    only as far as the others of the query have a row too (on Postgres at 2,000,000 rows 2 ms against 40)."""
    joint = " <-> " if whole.startswith("'") else ""
    beside = [_beside(pieces, whole, joint) for pieces in word.apart]
    spelt = dict.fromkeys([word.typed, *word.wholes, *_inflected(word.root)])
    if firmly or word.is_letter:
        return [*map(whole.format, spelt), *beside]
    for root in (*word.same, *map(stem, word.near)):
        spelt |= dict.fromkeys(_inflected(root))
    spelt |= dict.fromkeys(word.near)
    longer = vocabulary().completions(word.typed, MOST_SPELT + 1) if len(word.typed) >= SHORTEST_KNOWN else ()
    if 0 < len(longer) <= MOST_SPELT:
        return [*map(whole.format, dict.fromkeys([*spelt, *longer])), *beside]
    return [beginning.format(word.typed), *map(whole.format, spelt), *beside]


def _inflected(root: str) -> list[str]:
    """Known words with this stem, the stem itself first."""
    return [root, *(one for one in vocabulary().completions(root, 200) if stem(one) == root)]


def _beside(pieces: tuple[str, ...], whole: str, joint: str) -> str:
    """Words beside each other; FTS5 has no joint between them, they share their quotes."""
    return f"({joint.join(map(whole.format, pieces))})" if joint else whole.format(" ".join(pieces))


def _any(parts: Iterable[str], joint: str = " OR ") -> str:
    return "(" + joint.join(parts) + ")"


def _all(parts: list[str], joint: str) -> str:
    return "(" + joint.join(parts) + ")"
