"""How well the filter finds what people labelled, and how often it stops what they really wrote."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from marketplace.content_filter import rules
from marketplace.content_filter.detector import read

WAYS_OUT = frozenset({"account", "email", "handle", "link", "phone", "elsewhere"})
HURTS = frozenset({"threat", "slur", "abuse"})


@dataclass(frozen=True, slots=True)
class Score:
    """How many texts have the label, how many were found, and how many of both."""

    label: str
    labelled: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Of the found, how many were labelled so."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Of the labelled, how many were found."""
        return self.right / self.labelled if self.labelled else 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Of so many ordinary texts, how many hold each kind of find."""

    name: str
    texts: int
    found: dict[str, int]

    def share(self, kinds: Iterable[str]) -> float:
        """Finds of these kinds a text."""
        return sum(self.found.get(kind, 0) for kind in kinds) / max(self.texts, 1)


def scores(folder: Path) -> list[Score]:
    """Each label of the labelled files."""
    messages = [(row["label"], kinds(row["text"])) for row in _rows(folder / "messages_labelled.csv")]
    tweets = [(row["label"], kinds(row["text"])) for row in _rows(folder / "abuse_labelled.csv")]
    sure = [(row["label"], kinds(row["text"])) for row in _rows(folder / "abuse_labelled.csv") if _is_sure(row)]
    return [
        _score("spam", messages, {"spam"}, WAYS_OUT),
        _score("offensive or hate", tweets, {"offensive", "hate"}, HURTS),
        _score("offensive", [one for one in tweets if one[0] != "hate"], {"offensive"}, HURTS),
        _score("hate", [one for one in tweets if one[0] != "offensive"], {"hate"}, HURTS),
        _score("offensive or hate, all agreed", sure, {"offensive", "hate"}, HURTS),
    ]


def rates(folder: Path) -> list[Rate]:
    """What is found in advertisements, haggling and reviews that nobody labelled."""
    return [
        _rate("dialogues", (row["text"] for row in _rows(folder / "dialogues.csv"))),
        _rate("listings", (f"{row['title']}\n{row['description']}" for row in _rows(folder / "listings.csv"))),
        _rate("flats_riga", (f"{row['title']}\n{row['description']}" for row in _rows(folder / "flats_riga.csv"))),
        _rate("tasks_freelance", (f"{r['title']}\n{r['description']}" for r in _rows(folder / "tasks_freelance.csv"))),
        _rate("stays_reviews", (row["comment"] for row in _rows(folder / "stays_reviews.csv"))),
        _rate("profiles", (row["headline"] for row in _rows(folder / "profiles.csv"))),
    ]


def kinds(text: str) -> frozenset[str]:
    """The kinds of finds in a text."""
    return frozenset(span.kind for span in read(text, rules.read_rules().allowed_hosts))


def _score(label: str, texts: list[tuple[str, frozenset[str]]], wanted: set[str], found: frozenset[str]) -> Score:
    hits = [given for given, kinds_found in texts if kinds_found & found]
    labelled = sum(given in wanted for given, _ in texts)
    return Score(label, labelled, len(hits), sum(given in wanted for given in hits))


def _rate(name: str, texts: Iterable[str]) -> Rate:
    counted: dict[str, int] = {}
    total = 0
    for text in texts:
        if text.strip():
            total += 1
            for kind in kinds(text):
                counted[kind] = counted.get(kind, 0) + 1
    return Rate(name, total, counted)


def _is_sure(row: dict[str, str]) -> bool:
    return row["votes_neither"] in {"0", row["annotators"]}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
