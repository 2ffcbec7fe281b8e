"""The register of personal data: what every column is to the people it is about, kept as data."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

REGISTER = Path(__file__).with_name("register.toml")
GROUPS = ("account", "personal", "plain", "kept")


@dataclass(frozen=True, slots=True)
class Entry:
    """One table; the meaning of each word stands at the top of the register."""

    export: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    blank: dict[str, tuple[str, ...]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()


@cache
def register() -> dict[str, Entry]:
    """By table name."""
    with REGISTER.open("rb") as file:
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
