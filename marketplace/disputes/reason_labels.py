"""What disputes can be about, in the reader's language.

Apart from the rooms: texts from TOML, without tables.
"""

import tomllib
from functools import cache
from pathlib import Path


def label(reason: str, language: str) -> str:
    """The reason as its reader says it."""
    return _texts()[language][reason]


@cache
def _texts() -> dict[str, dict[str, str]]:
    """texts.toml: label by reason by language."""
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))
