"""Made-up words, some common and most rare, as in what people write, and what is typed to find them."""

import random
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
ENDINGS = ("", "", "n", "r", "s")
KNOWN = 10_000
SHIFT = 30
IN_TITLE, IN_DESCRIPTION, AT_ONCE = 4, 20, 1000
MISSPELT_SHARE = 0.1


@cache
def vocabulary() -> tuple[str, ...]:
    """Ten thousand words, the same each time, the commonest first."""
    source = random.Random(1)
    made: dict[str, None] = {}
    while len(made) < KNOWN:
        word = "".join(source.choices(SYLLABLES, k=source.choice((2, 3, 3, 4)))) + source.choice(ENDINGS)
        made.setdefault(word)
    return tuple(made)


@cache
def _shares() -> tuple[float, ...]:
    """Zipf and Mandelbrot's law, 1 / (rank + 30), added up: the commonest word stands in one text of eight, and two words
    of a title stand together in a few texts or in some thousands of 200,000."""
    return tuple(accumulate(1 / (rank + SHIFT) for rank in range(1, KNOWN + 1)))


def texts(count: int, source: random.Random) -> Iterator[tuple[list[str], list[str]]]:
    """The words of so many titles and descriptions."""
    length = IN_TITLE + IN_DESCRIPTION
    for start in range(0, count, AT_ONCE):
        rows = min(AT_ONCE, count - start)
        picked = source.choices(vocabulary(), cum_weights=_shares(), k=length * rows)
        for at in range(0, length * rows, length):
            yield picked[at : at + IN_TITLE], picked[at + IN_TITLE : at + length]


def two_of(title: str) -> str:
    """Two words of a title."""
    return "+".join(random.sample(title.lower().split(), 2))


def two_of_misspelt(title: str) -> str:
    """Two words of a title, one time in ten with a slip in one of them."""
    first, _, second = two_of(title).partition("+")
    return f"{_slip(first)}+{second}" if random.random() < MISSPELT_SHARE else f"{first}+{second}"


def beginning_of(title: str) -> str:
    """Three or four letters of a word."""
    return random.choice(title.lower().split())[: random.choice((3, 4))]


def _slip(word: str) -> str:
    """Two letters that changed places."""
    at = random.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
