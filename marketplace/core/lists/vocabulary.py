"""Every word that stands in something searched, known to each process, so that a misspelt one finds its neighbours.

Triggers of the database write new words beside the row that brings them; each process reads what is new once a
second, from when it is first asked. Both databases answer alike, because the choice is made here.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import AnyRow, Base, fetch, retry_conflict
from marketplace.core.lists.spelling_index import SpellingIndex
from marketplace.kit.clock import now
from marketplace.kit.text import is_unspaced

BATCH, OVERLAP, HOUR = 20_000, 500, timedelta(hours=1)
MOST_BATCHES = 1_000
PATIENCE = 3.0  # seconds without a read of the background (another process's, a busy one's) until a request reads
MOST_NEIGHBOURS = 4
LAST_LETTER = "\U0010ffff"  # behind every word with the same beginning


@retry_conflict("uq_known_words_word")
class KnownWord(Base):
    """One folded word; written by triggers only, and kept although the last text with it is gone."""

    __tablename__ = "known_words"
    __table_args__ = (UniqueConstraint("word"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(40))


NEWER = (
    select(KnownWord.id, KnownWord.word)
    .where(KnownWord.id > bindparam("after"))
    .order_by(KnownWord.id)
    .limit(bindparam("most"))
)


class Words:
    """Words in memory: sorted for beginnings, by their parts for slips. One thread adds, all read."""

    def __init__(self) -> None:
        self.begun_at, self.last_id = now(), 0
        self.known: set[str] = set()
        self.sorted: list[str] = []
        self.spelling = SpellingIndex()

    def add(self, rows: Sequence[AnyRow]) -> None:
        """Rows of known_words in the order of their ids; those that are in it already do nothing."""
        new = [row.word for row in rows if row.word not in self.known and not is_unspaced(row.word)]
        if new:
            self.spelling.add(new)
            self.sorted = sorted([*self.sorted, *new])
            self.known.update(new)
        self.last_id = max(self.last_id, rows[-1].id)


class Vocabulary:
    """The words of this process. No request waits for who is reading them, who may wait for a connection: it goes on
    with what is known. `patience`: seconds without a read until a request reads itself."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.written: dict[str, str] = {}  # how some of them are written, found when it was asked for
        self._words = Words()
        self._coming: Words | None = None  # the next, while it is not complete
        self._patience, self._read_at = patience, float("-inf")
        self._is_asked = False
        self._reading = threading.Lock()  # never waited for

    def completions(self, beginning: str, most: int) -> list[str]:
        """At most `most` known words with this beginning, in alphabetical order."""
        words = self._words.sorted
        place = bisect_left(words, beginning)
        return words[place : min(place + most, bisect_left(words, beginning + LAST_LETTER, lo=place))]

    def has(self, word: str) -> bool:
        """Whether this very word is known, of those that were read already."""
        return word in self._words.known

    def neighbours(self, word: str) -> list[str]:
        """The nearest words, nearest first: one slip in short words, two in words of six letters and more."""
        return self._words.spelling.near(word, MOST_NEIGHBOURS)

    def refresh(self) -> None:
        """Somebody asks: read some of what is new here where the background has not for a while."""
        self._is_asked = True
        if time.monotonic() - self._read_at >= self._patience:
            self._read(batches=1)

    def keep_up(self) -> None:
        """Read all that is new, where anybody asks this process for words; from the beginning each hour, as words are
        forgotten too."""
        if self._is_asked:
            self._read(batches=MOST_BATCHES)

    def forget(self) -> None:
        """Empty it; the next `refresh` reads from the beginning."""
        self._words, self._coming, self.written = Words(), None, {}
        self._read_at = float("-inf")

    def _read(self, batches: int) -> None:
        if not self._reading.acquire(blocking=False):
            return
        try:
            if self._coming is None and now() - self._words.begun_at > HOUR:
                self._coming = Words()
            into = self._coming or self._words
            if any(self._reads_to_end(into) for _ in range(batches)):
                self._read_at = time.monotonic()
                if into is self._coming:
                    self._words, self._coming, self.written = into, None, {}
        finally:
            self._reading.release()

    def _reads_to_end(self, into: Words) -> bool:
        """Add the next words, and whether those were all. Ids become visible out of order: the last are read again."""
        rows = fetch(NEWER, {"after": into.last_id - OVERLAP, "most": BATCH})
        if rows:
            into.add(rows)
        return len(rows) < BATCH


def init_app(app: Flask) -> None:
    """Make the Vocabulary of this process; it reads words when it is first asked."""
    app.extensions["vocabulary"] = Vocabulary()


def vocabulary() -> Vocabulary:
    """The Vocabulary of this process, which `init_app` made."""
    known: Vocabulary = current_app.extensions["vocabulary"]
    return known


def keep_up() -> None:
    """The background's: `Vocabulary.keep_up` of this process."""
    vocabulary().keep_up()
