"""What a request of each workload is, and what it takes to compare two answers to it."""

import json
import random
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import load, words
from benchmarks.fill import CATEGORIES, spot

BODY = {"price": 120.5, "condition": "good", "images": ["https://example.com/1.jpg"]}
BODIES = 500
MISSPELT, SUGGEST = "W4 misspelt", "suggest"
COMPARED = 20
Make = Callable[[], bytes]


def place() -> str:
    """A random point in a random town, and a category."""
    latitude, longitude = spot()
    where = f"latitude={latitude:.5f}&longitude={longitude:.5f}&radius=10"
    return f"/api/listings?{where}&category={random.choice(CATEGORIES)}&per_page=20"


def search(typed: str) -> str:
    """Two words."""
    return f"/api/listings?q={typed}&per_page=20"


def requests(token: str, rows: int, titles: Sequence[str]) -> dict[str, Make]:
    """By workload; what writes comes last."""
    bodies = _bodies()
    return {
        "W1": lambda: load.get(place()),
        "W2": lambda: load.get(f"/api/listings/{random.randint(1, rows)}"),
        "W4": lambda: load.get(search(words.two_of(random.choice(titles)))),
        MISSPELT: lambda: load.get(search(words.two_of_misspelt(random.choice(titles)))),
        SUGGEST: lambda: load.get(f"/api/search/suggest?q={words.beginning_of(random.choice(titles))}"),
        "W3": lambda: load.post("/api/listings", random.choice(bodies), token),
    }


def check_same_answers(ours: int, peer: int, titles: Sequence[str]) -> None:
    """The peer does the same work, or the comparison means nothing. It finds whole words only, so we find as much or more."""
    random.seed(3)
    for path in [place() for _ in range(COMPARED)]:
        mine, theirs = _answer(ours, path), _answer(peer, path)
        assert mine["total"] == theirs["total"], path
        assert _order(mine) == _order(theirs), path
    for path in [search(words.two_of(random.choice(titles))) for _ in range(COMPARED)]:
        mine, theirs = _answer(ours, path), _answer(peer, path)
        assert mine["total"] >= min(theirs["total"], len(theirs["listings"])) > 0, path


def _bodies() -> list[bytes]:
    """Listings like those that are there: newer ones that nothing finds would stand in the way of later searches."""
    random.seed(9)
    return [json.dumps(_body(*text)).encode() for text in words.texts(BODIES, random.Random(9))]


def _body(title: Sequence[str], description: Sequence[str]) -> dict[str, Any]:
    latitude, longitude = spot()
    said = {"title": " ".join(title).capitalize(), "description": " ".join(description)}
    return {**BODY, **said, "category": random.choice(CATEGORIES), "latitude": latitude, "longitude": longitude}


def _answer(port: int, path: str) -> Any:
    return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}"))


def _order(page: Any) -> list[tuple[int, float]]:
    return [(item["id"], item["distance"]) for item in page["listings"]]
