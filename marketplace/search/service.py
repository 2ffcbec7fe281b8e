"""One search over everything that is on offer: found by the index, ranked here, shown as each slice shows it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from marketplace.auth.models import User
from marketplace.core.pagination import Page
from marketplace.core.search import Asked, understand
from marketplace.core.vocabulary import vocabulary
from marketplace.kit.clock import now
from marketplace.kit.text import WORD, fold, search_text, words
from marketplace.listings import queries as listings
from marketplace.offerings import queries as offerings
from marketplace.search import ranking
from marketplace.search.ranking import Why
from marketplace.tasks import queries as tasks

SNIPPET_WORDS = 24
MOST_SUGGESTIONS = 8
MOST_TITLES = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """What a slice gives to a search: rows to rank, and things to show."""

    candidates: Callable[..., list[Any]]
    by_ids: Callable[[User | None, list[int]], dict[int, dict[str, Any]]]
    new: Callable[[int], Any | None]
    facets: Callable[..., dict[str, list[Any]]]


KINDS = {
    "listing": Kind(listings.candidates, listings.by_ids, listings.newly_posted, listings.facets),
    "task": Kind(tasks.candidates, tasks.by_ids, tasks.newly_posted, tasks.facets),
    "offering": Kind(offerings.candidates, offerings.by_ids, offerings.newly_posted, offerings.facets),
}


@dataclass(frozen=True, slots=True)
class Find:
    """One thing found, and why it stands where it does."""

    type: str
    row: Any
    km: float | None
    why: Why


def search(
    viewer: User | None, *, q: str, types: Iterable[str], page: int, per_page: int, explain: bool, **where: Any
) -> Page:
    """Everything that fits, the best first; raises Invalid (422)."""
    asked = understand(q)
    finds = [find for kind in types for find in _finds(kind, q, asked, where)]
    finds.sort(key=lambda find: (-find.why.score, find.row.created_at, find.type, find.row.id))
    start = (page - 1) * per_page
    shown = finds[start : start + per_page]
    things = {kind: KINDS[kind].by_ids(viewer, [f.row.id for f in shown if f.type == kind]) for kind in KINDS}
    items = [_result(find, things[find.type][find.row.id], asked, explain) for find in shown if _is_there(find, things)]
    corrected = " ".join(asked.corrected) or None
    more = len(finds) > start + per_page
    return Page("results", items, per_page, more, page, len(finds), extra={"corrected": corrected})


def suggest(q: str) -> list[dict[str, Any]]:
    """How what is being typed could go on: words that are written somewhere, and titles that have them."""
    typed = words(q)
    if not typed or len(typed[-1]) < 2:
        return []
    *before, last = typed
    known = vocabulary()
    known.knows(last)
    completions = sorted(known.completions(last, 200), key=lambda word: (len(word), word))[:MOST_SUGGESTIONS]
    said = [{"text": " ".join([*before, word]), "type": "word", "id": None} for word in completions]
    titles = [
        {"text": row.title, "type": kind, "id": row.id}
        for kind, slice_ in KINDS.items()
        for row in slice_.candidates(q=q, most=MOST_TITLES)
    ]
    return [*said, *titles][: MOST_SUGGESTIONS + MOST_TITLES]


def _finds(kind: str, q: str, asked: Asked, where: dict[str, Any]) -> list[Find]:
    moment = now()
    found = []
    for row in KINDS[kind].candidates(q=q, **where):
        km = getattr(row, "distance", None)
        reason = ranking.why(
            asked.words,
            asked.typed,
            title=search_text(row.title).split(),
            text=row.search_text.split(),
            km=km,
            age_days=ranking.age_in_days(row.created_at, moment),
        )
        found.append(Find(kind, row, km, reason))
    return found


def _is_there(find: Find, things: dict[str, dict[int, Any]]) -> bool:
    """It may have gone between the two looks."""
    return find.row.id in things[find.type]


def _result(find: Find, thing: dict[str, Any], asked: Asked, explain: bool) -> dict[str, Any]:
    beginnings = tuple({meaning for meanings in asked.words for meaning in meanings})
    beginnings += tuple({word for phrase in asked.phrases for word in phrase})
    result = {
        "type": find.type,
        "id": find.row.id,
        "title": find.row.title,
        "snippet": snippet(thing["description"], beginnings),
        "distance": None if find.km is None else round(find.km, 2),
        "score": round(find.why.score, 4),
        "item": thing,
    }
    return {**result, "why": find.why.told()} if explain else result


def snippet(text: str, beginnings: tuple[str, ...]) -> list[dict[str, Any]]:
    """The text around the first find in pieces, `hit` where it is what was looked for: a client marks those
    without reading markup out of what people wrote."""
    places = [(match.start(), match.end(), _is_hit(match.group(), beginnings)) for match in WORD.finditer(text)]
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


def _is_hit(word: str, beginnings: tuple[str, ...]) -> bool:
    return bool(beginnings) and fold(word).startswith(beginnings)
