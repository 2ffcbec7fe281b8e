"""Every word that stands in something searched, known to each process, so that a misspelt one finds its neighbours.

Triggers of the database write new words beside the row that brings them; a process reads what is new
when it meets a word it does not know. Both databases answer alike, because the choice is made here.
"""

import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import Flask, current_app
from sqlalchemy import String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import AnyRow, Base, fetch, retry_conflict
from marketplace.kit.clock import now
from marketplace.kit.lazy_module import lazy_module
from marketplace.kit.text import is_unspaced

if TYPE_CHECKING:
    import rapidfuzz.distance as rapidfuzz_distance
    import rapidfuzz.process as rapidfuzz_process
else:
    rapidfuzz_distance = lazy_module("rapidfuzz.distance")
    rapidfuzz_process = lazy_module("rapidfuzz.process")

BATCH, OVERLAP, HOUR = 20_000, 500, timedelta(hours=1)
MOST_NEIGHBOURS = 4


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


class Vocabulary:
    """The words that stand in any indexed text, in memory: sorted for beginnings, by length for slips."""

    def __init__(self) -> None:
        self._sorted: list[str] = []
        self._by_length: dict[int, list[str]] = defaultdict(list)
        self._known: set[str] = set()
        self.written: dict[str, str] = {}  # how some of them are written, found when it was asked for
        self._last_id, self._begun_at, self._overlapped_at = 0, now(), 0.0
        self._lock = threading.Lock()

    def completions(self, beginning: str, most: int) -> list[str]:
        """At most `most` known words with this beginning, in alphabetical order."""
        place = bisect_left(self._sorted, beginning)
        found = self._sorted[place : place + most]
        return [word for word in found if word.startswith(beginning)]

    def knows(self, beginning: str) -> bool:
        """Whether any word begins so; what is new is read before the answer is no."""
        if not self.completions(beginning, 1):
            self.refresh()
        return bool(self.completions(beginning, 1))

    def has(self, word: str) -> bool:
        """Whether this very word is known, of those that were read already."""
        return word in self._known

    def neighbours(self, word: str) -> list[str]:
        """The nearest words, nearest first: one slip in short words, two in words of six letters and more (a slip
        is a letter too many, missing, wrong, or two that changed places: optimal string alignment)."""
        slips = 0 if len(word) < 4 else 1 if len(word) < 6 else 2
        near = [
            known for length in range(len(word) - slips, len(word) + slips + 1) for known in self._by_length[length]
        ]
        found = rapidfuzz_process.extract(
            word, near, scorer=rapidfuzz_distance.OSA.distance, score_cutoff=slips, limit=MOST_NEIGHBOURS * 4
        )
        ranked = sorted(found, key=lambda one: (one[1], one[0][:1] != word[:1], one[0]))
        return [one[0] for one in ranked[:MOST_NEIGHBOURS]] if slips else []

    def refresh(self) -> None:
        """Read what was written since the last time; from the beginning each hour, as words are forgotten too.

        Nobody holds the lock while reading: whoever waited for it would keep the connection the reader waits for.
        Several may read the same words, which are added once."""
        if now() - self._begun_at > HOUR:
            self.forget()
        with self._lock:
            begun_at, after = self._begun_at, self._last_id - self._overlap()
        while rows := fetch(NEWER, {"after": after, "most": BATCH}):
            begun_at, after = self._add(rows, begun_at)

    def forget(self) -> None:
        """Empty it; the next `refresh` reads all words again."""
        with self._lock:
            self._sorted, self._by_length, self._known, self.written = [], defaultdict(list), set(), {}
            self._last_id, self._begun_at, self._overlapped_at = 0, now(), 0.0

    def _add(self, rows: Sequence[AnyRow], begun_at: datetime) -> tuple[datetime, int]:
        """Where to read on; from the beginning where it was begun anew since these rows were asked for."""
        with self._lock:
            if self._begun_at is not begun_at:
                return self._begun_at, self._last_id
            new = [row.word for row in rows if row.word not in self._known and not is_unspaced(row.word)]
            self._known.update(new)
            for word in new:
                self._by_length[len(word)].append(word)
            self._sorted = sorted([*self._sorted, *new]) if new else self._sorted
            self._last_id = max(self._last_id, rows[-1].id)
            return begun_at, rows[-1].id

    def _overlap(self) -> int:
        """Ids become visible out of order: once a second those before the last one are read again."""
        if time.monotonic() - self._overlapped_at < 1:
            return 0
        self._overlapped_at = time.monotonic()
        return OVERLAP


def init_app(app: Flask) -> None:
    """Make the Vocabulary of this process; it reads words when it is first asked."""
    app.extensions["vocabulary"] = Vocabulary()


def vocabulary() -> Vocabulary:
    """The Vocabulary of this process, which `init_app` made."""
    known: Vocabulary = current_app.extensions["vocabulary"]
    return known
