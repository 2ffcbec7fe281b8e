"""Which known words are a slip or two away from a misspelt one, found by the parts that a slip leaves whole."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import rapidfuzz.distance as rapidfuzz_distance
    import rapidfuzz.process as rapidfuzz_process
else:
    rapidfuzz_distance = lazy_module("rapidfuzz.distance")
    rapidfuzz_process = lazy_module("rapidfuzz.process")

BEGINNING, MIDDLE, END = range(3)
Key = tuple[int, int]  # the length of a word, and which of its thirds


class SpellingIndex:
    """Words by their thirds. A slip is a letter too many, missing, wrong, or two that changed places (optimal string
    alignment). Two slips leave a third whole, but for letters that changed places between two thirds, which are
    looked up changed back: so one look into a few lists finds all that are near, and only those are compared."""

    def __init__(self) -> None:
        self._words: dict[Key, dict[str, list[str]]] = defaultdict(dict)

    def add(self, words: Iterable[str]) -> None:
        """Words that are not in it yet; others may read meanwhile."""
        for word in words:
            length, (begin, end) = len(word), _cuts(len(word))
            for third, part in enumerate((word[:begin], word[begin:end], word[end:])):
                self._words[length, third].setdefault(part, []).append(word)

    def near(self, word: str, most: int) -> list[str]:
        """The nearest words, nearest first: one slip in words of four and five letters, two in longer ones; of equally
        near ones those that begin alike, then by the alphabet."""
        slips = 0 if len(word) < 4 else 1 if len(word) < 6 else 2
        if not slips:
            return []
        some = set[str]().union(*self._candidates(word, slips))
        found = rapidfuzz_process.extract(
            word, list(some), scorer=rapidfuzz_distance.OSA.distance, score_cutoff=slips, limit=None
        )
        ranked = sorted((distance, known[:1] != word[:1], known) for known, distance, _ in found)
        return [known for _, _, known in ranked[:most]]

    def _candidates(self, word: str, slips: int) -> Iterator[list[str]]:
        for length in range(len(word) - slips, len(word) + slips + 1):
            for third, part in set(_whole_parts(word, length, slips)):
                yield self._words.get((length, third), {}).get(part, [])


def _cuts(length: int) -> tuple[int, int]:
    """Where a word of this length is cut in three."""
    return length // 3, length // 3 + (length + 1) // 3


def _whole_parts(word: str, length: int, slips: int) -> Iterator[tuple[int, str]]:
    """The thirds of which a known word of this length has at least one, where `word` is it with so many slips."""
    (begin, end), longer = _cuts(length), len(word) - length
    last = end + longer  # where the last third begins in `word`
    yield BEGINNING, word[:begin]
    yield BEGINNING, word[: begin - 1] + word[begin : begin + 1] if begin else ""
    yield END, word[last:]
    yield END, word[last - 1 : last] + word[last + 1 :]
    for shift in range(-slips, slips + 1):  # letters that the slips before the middle have added
        if abs(shift) + abs(longer - shift) <= slips and begin + shift >= 0:
            yield MIDDLE, word[begin + shift : end + shift]
