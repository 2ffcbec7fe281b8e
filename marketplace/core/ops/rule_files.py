"""Files of rules that a setting names: TOML with tables of one kind, checked when the application starts."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar, get_origin

from flask import Flask

from marketplace.core.ops.settings import ConfigurationError
from marketplace.kit.json_types import JsonObject

T = TypeVar("T")
TYPES = {str: "a text in quotes", int: "a whole number", bool: "true or false", dict: "a table"}


class BadFile(RuntimeError):
    """A file that nobody could mean; the sentence names the file, the place in it and what is wrong there."""


def read_toml(path: Path) -> JsonObject:
    """The parsed TOML file; raises BadFile."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror or 'it cannot be read'}.") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path}: this is no text in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{path}: this is no TOML: {error}.") from None


def tables(found: Mapping[str, Any], name: str, path: Path) -> list[dict[str, object]]:
    """The [[name]] tables, at least one; raises BadFile."""
    rows = found.get(name)
    if not isinstance(rows, list) or not rows:
        raise BadFile(f"{path}: there is no [[{name}]].")
    return rows


def made(kind: Callable[..., T], row: Any, where: str) -> T:
    """A dataclass of a table whose fields have its names and types; raises BadFile."""
    if not isinstance(row, dict):
        raise BadFile(f"{where} is no table.")
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    needed = [name for name, field in known.items() if field.default is field.default_factory is MISSING]
    if missing := [name for name in needed if name not in row]:
        raise BadFile(f"{where}: {' and '.join(missing)} must be there.")
    if unknown := [name for name in row if name not in known]:
        raise BadFile(f"{where}: there is no field {unknown[0]}; there are {', '.join(known)}.")
    for name, value in row.items():
        demand_type(value, get_origin(known[name].type) or known[name].type, f"{where}: {name}")
    return kind(**row)


def demand_type(value: Any, kind: Any, where: str) -> None:
    """Raises BadFile; true is no number."""
    if type(value) is not kind:
        raise BadFile(f"{where} must be {TYPES.get(kind, kind.__name__)}, not {value!r}.")


def whole_number(found: Mapping[str, Any], name: str, path: Path) -> int:
    """Raises BadFile."""
    if name not in found:
        raise BadFile(f"{path}: {name} must be there, a whole number.")
    demand_type(found[name], int, f"{path}: {name}")
    return int(found[name])


def check(app: Flask, readers: Mapping[str, Callable[[], object]]) -> None:
    """Read each file that a setting names, once, before somebody needs it; raises ConfigurationError."""
    wrong = []
    with app.app_context():
        for setting, read in readers.items():
            try:
                read()
            except BadFile as error:
                wrong.append(f"{setting} names a file that cannot be used: {str(error).rstrip('.')}.")
    if wrong:
        raise ConfigurationError(*wrong)
