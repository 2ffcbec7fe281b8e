"""Search over all kinds of things: found by the index, ranked here, shown as each slice shows its own."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from marketplace.auth.models import User
from marketplace.core.lists.full_text import FEW, SearchQuery, understand
from marketplace.core.lists.pagination import CURSOR_START, Page, decode_cursor, encode_cursor
from marketplace.core.lists.ranking import SearchHit
from marketplace.core.lists.vocabulary import vocabulary
from marketplace.core.lists.written_words import as_written
from marketplace.core.manifest import subjects
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.text import APOSTROPHES, CONNECTION, WRITTEN, is_unspaced, terms
from marketplace.kit.unicode_fold import fold
from marketplace.search.policy import searchable

SNIPPET_WORDS = 24
SNIPPET_LETTERS = 4  # of a word, where nothing says how long words are
MOST_SUGGESTIONS = 8
MOST_TITLES = 3


def search(
    viewer: User | None,
    *,
    q: str,
    types: Iterable[str],
    page: int,
    per_page: int,
    explain: bool,
    cursor: str | None = None,
    **where: Any,
) -> Page:
    """A page of hits, best first; raises Invalid (422)."""
    asked, scope = understand(q), f"search|{q}|{sorted(types)}|{sorted(where.items())}"
    moment, after = now(), None
    if cursor and cursor != CURSOR_START:
        moment, reading, score, kind, last_id = decode_cursor(scope, cursor, [datetime, str, float, str, int])
        asked, after = asked.read_as(reading), (-score, kind, -last_id)
    found = _found(asked, types, as_of=moment, **where)
    if after is None:
        asked, found = _more(asked, found, types, as_of=moment, **where)
    left = [one for one in found if _rank(one) > after] if after else found[(page - 1) * per_page :]
    shown, more = left[:per_page], len(left) > per_page
    things = {kind: of.by_ids(viewer, _ids(shown, kind)) for kind, of in subjects().items() if of.search}
    items = [
        _result(kind, find, things[kind][find.row.id], asked, explain)
        for kind, find in shown
        if find.row.id in things[kind]  # it may have gone between the two looks
    ]
    extra = {"corrected": asked.corrected, "matched": "some" if asked.any_word else "all"}
    if not cursor:
        return Page("results", items, per_page, more, page, len(found), extra=extra)
    last = None
    if more:
        kind, find = shown[-1]
        last = encode_cursor(scope, [moment, asked.reading, find.why.score, kind, find.row.id])
    return Page("results", items, per_page, more, next_cursor=last, by_cursor=True, extra=extra)


def suggest(q: str) -> list[JsonObject]:
    """Completions of what is typed: known words, and titles that have them."""
    typed = WRITTEN.findall(q)
    last = terms(typed[-1]) if typed else []
    if not last:
        return []
    beginning = (*last[-1].wholes, last[-1].typed)[0]
    if len(beginning) < 2 and not is_unspaced(beginning):
        return []
    asked = understand(q)
    said = [{"text": " ".join([*typed[:-1], word]), "type": "word", "id": None} for word in _go_on(beginning)]
    titles = [
        {"text": kind.title(row), "type": name, "id": row.id}
        for name, kind in searchable().items()
        for row in kind.latest(MOST_TITLES, q=asked)
    ]
    return [*said, *titles][: MOST_SUGGESTIONS + MOST_TITLES]


def _go_on(beginning: str) -> list[str]:
    """Known words with this beginning, the shortest first, with their accents."""
    completions = sorted(vocabulary().completions(beginning, 200), key=lambda word: (len(word), word))
    return as_written(completions[:MOST_SUGGESTIONS])


def _more(
    asked: SearchQuery, found: list[tuple[str, SearchHit]], types: Iterable[str], **where: Any
) -> tuple[SearchQuery, list[tuple[str, SearchHit]]]:
    """With few hits search again with spelling corrected, with none again with fewer words."""
    if len(found) < FEW and (wider := asked.widened):
        asked, found = wider, _found(wider, types, **where)
    if not found and (some := asked.relaxed):
        asked, found = some, _found(some, types, **where)
    return asked, found


def _found(asked: SearchQuery, types: Iterable[str], **where: Any) -> list[tuple[str, SearchHit]]:
    found = [(kind, find) for kind in types for find in searchable()[kind].best(q=asked, **where)]
    return sorted(found, key=_rank)


def _ids(found: list[tuple[str, SearchHit]], kind: str) -> list[int]:
    return [find.row.id for of, find in found if of == kind]


def _rank(found: tuple[str, SearchHit]) -> tuple[float, str, int]:
    kind, find = found
    return -find.why.score, kind, -find.row.id


def _result(kind: str, find: SearchHit, thing: dict[str, Any], asked: SearchQuery, explain: bool) -> JsonObject:
    meant = ((word.typed, word.root, *word.same, *word.near, *word.wholes) for word in asked.words)
    beginnings = tuple({one for forms in meant for one in forms})
    beginnings += tuple({word for phrase in asked.phrases for word in phrase})
    result = {
        "type": kind,
        "id": find.row.id,
        "title": searchable()[kind].title(find.row),
        "snippet": snippet(thing[searchable()[kind].text], beginnings),
        "distance": None if find.km is None else round(find.km, 2),
        "score": round(find.why.score, 4),
        "item": thing,
    }
    return {**result, "why": find.why.told()} if explain else result


def snippet(text: str, beginnings: tuple[str, ...]) -> list[JsonObject]:
    """The text around the first hit in pieces, `hit` where a word matches, so that a client marks them without reading
    markup out of people's texts."""
    places = [place for match in WRITTEN.finditer(text) for place in _places(match.group(), match.start(), beginnings)]
    first = next((index for index, (_, _, hit) in enumerate(places) if hit), 0)
    chosen = places[max(0, first - SNIPPET_WORDS // 3) :][:SNIPPET_WORDS]
    if not chosen:
        return []
    pieces: list[dict[str, Any]] = []
    position = chosen[0][0]
    for start, end, hit in chosen:
        if hit:
            pieces += [{"text": text[position:start], "hit": False}] if start > position else []
            pieces.append({"text": text[start:end], "hit": True})
            position = end
    end = chosen[-1][1]
    return [*pieces, {"text": text[position:end], "hit": False}] if end > position else pieces


def _places(written: str, start: int, beginnings: tuple[str, ...]) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether it matches) of a word; piece by piece where a script has no spaces."""
    read = fold(written)
    if not any(map(is_unspaced, read)) or len(read) != len(written):
        yield start, start + len(written), _is_hit(read, beginnings)
        return
    sought = "|".join(re.escape(one) for one in sorted(beginnings, key=len, reverse=True) if is_unspaced(one))
    other = rf"(?:(?!{sought}).){{1,{SNIPPET_LETTERS}}}" if sought else rf".{{1,{SNIPPET_LETTERS}}}"
    for match in re.finditer(f"({sought})|{other}" if sought else other, read):
        yield start + match.start(), start + match.end(), match.lastindex is not None


def _is_hit(read: str, beginnings: tuple[str, ...]) -> bool:
    """Whether the word, one of its parts, or its parts in one begins as one of these."""
    parts = CONNECTION.split(read.translate(APOSTROPHES))
    return bool(beginnings) and any(one.startswith(beginnings) for one in (*parts, "".join(parts)))
