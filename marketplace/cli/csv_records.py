"""The records of a CSV file one by one, with the lines they begin in; a broken one does not take others with it."""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_LINES = 1000
MOST_CHARACTERS = 1_000_000
NOT_CLOSED = "A quote is opened and not closed, or something follows where it is closed."


class Unusable(ValueError):
    """The file as a whole cannot be read so; a sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its values by the names of the header, or why it has none."""

    line: int
    values: dict[str, str]
    problem: str = ""


def encoding_of(path: Path) -> str:
    """What the mark at its beginning says, else UTF-8."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for mark, name in MARKS if start.startswith(mark)), "utf-8")


class Records:
    """Reads a file that was opened with newline=""; bytes that are not of its encoding are kept as they are."""

    def __init__(self, file: TextIO, delimiter: str = ",") -> None:
        self._file = file
        self._delimiter = delimiter
        self._waiting: deque[str] = deque()
        self._line = 0
        self.names: list[str] = []
        csv.field_size_limit(MOST_CHARACTERS)
        self.names = self._header()

    def __iter__(self) -> Iterator[Record]:
        """Rows in which nothing is written are none."""
        while lines := self._next_lines():
            number = self._line + 1
            cells, used = self._parsed(lines)
            self._line += used
            if cells is None:
                yield Record(number, {self.names[0]: lines[0].rstrip("\r\n")}, NOT_CLOSED)
            elif any(cell.strip() for cell in cells):
                yield self._record(number, cells)

    def _header(self) -> list[str]:
        cells, used = self._parsed(self._next_lines())
        self._line += used
        names = [name.strip() for name in cells or []]
        if not any(names):
            raise Unusable("The file has no header: its first line names the columns.")
        if "\0" in "".join(names):
            raise Unusable("The header holds NUL characters. If the file is UTF-16, say --encoding utf-16-le.")
        if len(names) == 1 and (found := [word for sign, word in SEPARATORS.items() if sign in names[0]]):
            raise Unusable(f"The header is one name: {names[0]}. If {found[0]} separate the columns, say --delimiter.")
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise Unusable(f"The header names {', '.join(twice)} more than once.")
        return names

    def _record(self, number: int, cells: list[str]) -> Record:
        while len(cells) > len(self.names) and not cells[-1]:
            cells.pop()
        values = dict(zip(self.names, cells, strict=False))
        if len(cells) == len(self.names):
            return Record(number, values)
        counts = f"This row has {len(cells)} values, and the header {len(self.names)} names."
        return Record(number, values, counts)

    def _parsed(self, lines: list[str]) -> tuple[list[str] | None, int]:
        """The cells and how many lines they took; None where the first line cannot be a record. An open quote takes
        in the lines that follow until another one closes it, so of those that look like rows it is given none."""
        reader = csv.reader(self._fed(lines), delimiter=self._delimiter, strict=True)
        try:
            cells = next(reader, [])
        except csv.Error:
            return self._given_back(lines, None, 1)
        used = max(reader.line_num, 1)
        if used > 1 and self.names and len(cells) != len(self.names) and self._is_row(lines[1]):
            return self._given_back(lines, None, 1)
        return self._given_back(lines, cells, used)

    def _is_row(self, line: str) -> bool:
        try:
            return len(next(csv.reader([line], delimiter=self._delimiter, strict=True), [])) == len(self.names)
        except csv.Error:
            return False

    def _next_lines(self) -> list[str]:
        """The next line, to which `_fed` adds those that its record needs."""
        line = self._waiting.popleft() if self._waiting else self._file.readline()
        return [line] if line else []

    def _fed(self, lines: list[str]) -> Iterator[str]:
        """The first of `lines`, and from the file those that follow, noted there."""
        yield from islice(lines, 1)
        size = len(lines[0]) if lines else 0
        while len(lines) < MOST_LINES and size < MOST_CHARACTERS and (more := self._next_lines()):
            lines += more
            size += len(more[0])
            yield more[0]

    def _given_back(self, lines: list[str], cells: list[str] | None, used: int) -> tuple[list[str] | None, int]:
        self._waiting.extendleft(reversed(lines[used:]))
        return cells, used
