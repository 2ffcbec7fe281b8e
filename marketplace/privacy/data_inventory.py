"""The register of personal data: what every column is to the people it is about, kept as data (personal.toml of each
slice). A table or column that is missing there fails a test. The words' values are names of columns:

export    whose rows these are: the columns that name the person; they are in the person's export
hidden    not in the export although the row is: secrets, and what only repeats other columns
delete    erased with the rows: the columns that name the person
blank     erased in a row that stays: by whom it is (NULL, else an empty text, list or zero)
account   erased by the account itself (auth)
personal  goes with its row
plain     nothing personal, also not once nobody knows any more whose id it was
kept      stays, and `why`

Apart from the rooms: the personal.toml files of all slices, as one table.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.core.manifest import slices

GROUPS = ("account", "personal", "plain", "kept")


@dataclass(frozen=True, slots=True)
class Entry:
    """One table; the meaning of each word stands at the top of the register."""

    export: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    blank: dict[str, tuple[str, ...]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()


def register() -> dict[str, Entry]:
    """By table name, of every slice."""
    return {table: entry for one in slices() if one.personal for table, entry in _read(one.personal).items()}


@cache
def _read(path: Path) -> dict[str, Entry]:
    with path.open("rb") as file:
        return {table: _entry(words) for table, words in tomllib.load(file).items()}


def _entry(words: dict[str, Any]) -> Entry:
    blank = {of: tuple(names.split()) for of, names in words.get("blank", {}).items()}
    grouped = [name for group in GROUPS for name in words.get(group, "").split()]
    return Entry(
        export=tuple(words.get("export", "").split()),
        delete=tuple(words.get("delete", "").split()),
        hidden=frozenset(words.get("hidden", "").split()),
        blank=blank,
        columns=frozenset([*grouped, *(name for names in blank.values() for name in names)]),
    )
