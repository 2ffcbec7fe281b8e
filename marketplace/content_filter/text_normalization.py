"""Letters as they are read, not as they are coded: one spelling of each, and its place in the original text.

Apart from the rooms: the reading of letters that all detectors share.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

MOST_REMEMBERED = 20_000
MOST_OF_ONE = 3  # some signs stand for a whole sentence
# Greek and the Latin alphabet's stranger relatives are nobody's language here: straight to Latin.
STRANGERS = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεηικνορτυχωϲϳ" + "ɑɡıȷʟɢɪɴʀʏʙʜᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱꜰøłđħŧɓɗօսհոⅼ",
    "ABEZHIKMNOPTYXabyenikvoptuxwcj" + "agijlginrybhacdejkmoptuvwzsfoldhtbdouhnl",
)
LOOK_ALIKES = str.maketrans("авсенкмортухіјѕԁԛԝһӏґ", "abcehkmoptyxijsdqwhlr")
BACK = str.maketrans("abcehkmoptyxi", "авсенкмортухі")
SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:(?:[^\w\n,;:!?()@/]|_){1,3}(?!\d)[^\W_](?![^\W_])){2,}")
CYRILLIC = re.compile(r"[а-яіј]")
LATIN = re.compile(r"[a-z]")
WORD = re.compile(r"[^\W_]+")
WORD_OR_GAP = re.compile(r"[^\W_]+|[\W_]+")


class _Read(dict[int, str]):
    """Code point → what is read: lower case, no accents, no zero-width signs, one kind of digits."""

    def __missing__(self, code: int) -> str:
        made = _read(chr(code))[:MOST_OF_ONE]
        if len(self) < MOST_REMEMBERED:
            self[code] = made
        return made


def _read(char: str) -> str:
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return chr(ord("a") + ord(char) - 0x1F1E6)
    for first in (0x1F150, 0x1F170):  # white letters on black circles and squares
        if first <= ord(char) < first + 26:
            return chr(ord("a") + ord(char) - first)
    number = unicodedata.numeric(char, None)
    if number is not None and unicodedata.category(char) in {"Nd", "No"} and number == int(number) and number <= 20:
        return str(int(number))
    spread = unicodedata.normalize("NFKD", char.translate(STRANGERS))
    spread = unicodedata.normalize("NFKD", spread.casefold()).translate(STRANGERS)
    return "".join(c for c in spread if unicodedata.category(c) not in {"Mn", "Me", "Mc", "Cf"})


READ = _Read()


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text. `starts` and `ends` give each letter's place in the original, None where they are the
    same; invisible characters belong to the letter before them."""

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def written(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the original of text[start:end]."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def like(self, text: str) -> "View":
        """The same places with other letters, one for one."""
        return View(text, self.starts, self.ends)

    def without(self, pattern: re.Pattern[str], instead: Callable[[re.Match[str]], str]) -> "View":
        """With every match replaced; the letters put in have the place of the match."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            self._keep(done, match.start(), pieces, starts, ends)
            put = instead(match)
            from_, to = self.written(match.start(), match.end())
            pieces.append(put)
            starts += [from_] * len(put)
            ends += [to] * len(put)
            done = match.end()
        if not done:
            return self
        self._keep(done, len(self.text), pieces, starts, ends)
        return View("".join(pieces), starts, ends)

    def _keep(self, start: int, end: int, pieces: list[str], starts: list[int], ends: list[int]) -> None:
        pieces.append(self.text[start:end])
        starts += self.starts[start:end] if self.starts is not None else range(start, end)
        ends += self.ends[start:end] if self.ends is not None else range(start + 1, end + 1)


class Page:
    """One text in the readings that detectors use, each made when first asked for."""

    def __init__(self, text: str) -> None:
        self.plain = plain(text)

    @cached_property
    def latin(self) -> View:
        """Cyrillic look-alikes read as Latin."""
        text = self.plain.text
        return self.plain if text.isascii() else self.plain.like(text.translate(LOOK_ALIKES))

    @cached_property
    def closed(self) -> View:
        """Words of single letters are closed up: "g m a i l" is gmail."""
        return self.plain.without(SPACED, _closed_up) if self.has_spaced_letters else self.plain

    @cached_property
    def has_spaced_letters(self) -> bool:
        """Whether three single letters follow one another: a cheap test before the dear ones."""
        return "1 1 1" in " ".join([str(len(word)) for word, _ in self.words])

    @cached_property
    def words(self) -> list[tuple[str, int]]:
        """Runs of letters and digits, each with its start."""
        parts = WORD_OR_GAP.findall(self.plain.text)
        places = list(zip(parts, accumulate(map(len, parts), initial=0), strict=False))
        return places[0 if parts and WORD.match(parts[0]) else 1 :: 2]

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The set of words."""
        return frozenset([word for word, _ in self.words])

    @cached_property
    def latin_vocabulary(self) -> frozenset[str]:
        """The set of words in the Latin reading."""
        if self.latin.text == self.plain.text:
            return self.vocabulary
        return frozenset(" ".join(self.vocabulary).translate(LOOK_ALIKES).split(" "))


def plain(text: str) -> View:
    """Lower case without accents, strange digits, strange alphabets and what cannot be seen."""
    if text.isascii():
        return View(text.lower())
    read = text.translate(READ)
    if all(len(READ[ord(char)]) == 1 for char in set(text)):
        return View(read)
    places = [place for place, char in enumerate(text) for _ in READ[ord(char)]]
    following = dict(pairwise([*dict.fromkeys(places), len(text)]))
    return View(read, places, [following[place] for place in places])


def unmixed(word: str) -> str:
    """A word of two alphabets as one of the alphabet that has more letters only it has; other words as they are."""
    if not (CYRILLIC.search(word) and LATIN.search(word)):
        return word
    latin = word.translate(LOOK_ALIKES)
    return word.translate(BACK) if CYRILLIC.search(latin) else latin


def _closed_up(match: re.Match[str]) -> str:
    """The letters alone; a dot stays where the other gaps have none."""
    letters = re.split(r"[\W_]+", match.group())
    gaps = re.findall(r"[\W_]+", match.group())
    if all("." in gap for gap in gaps):
        return "".join(letters)
    dots = ["." if "." in gap else "" for gap in gaps]
    return letters[0] + "".join(dot + letter for dot, letter in zip(dots, letters[1:], strict=True))
