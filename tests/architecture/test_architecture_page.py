"""docs/architecture.md says where things are: its files and names exist, and its floors are those of the code."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from marketplace.wiring import SLICES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = (ROOT, ROOT / "marketplace")
ROW = re.compile(r"^\| (?P<thing>[^|]+) \| `(?P<file>[^|`]+\.py)` \| (?P<names>`[^|]+`) \|$", re.MULTILINE)
FILE = re.compile(r"[\w/.{},]+\.(?:py|toml|txt|md)\b|[\w.{},]+/[\w/.{},]*")
WOULD_BE = ("acme", "gifts")  # what the page adds on paper
MOST_FILES = 15
STANDARD_ROOMS = {"cli.py", "gateway.py"}


def _where(name: str) -> Path | None:
    return next((place / name for place in PLACES if (place / name).exists()), None)


def _defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {*_names(tree.body)}


def _names(body: list[ast.stmt], owner: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield owner + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{node.name}.")
        if isinstance(node, ast.Assign):
            yield from (owner + target.id for target in node.targets if isinstance(target, ast.Name))


def _spelt_out(name: str) -> list[str]:
    """`a/{b,c}.py` → `a/b.py`, `a/c.py`."""
    parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", name)]
    return ["".join(chosen) for chosen in product(*parts)]


@pytest.mark.parametrize("row", list(ROW.finditer(PAGE)), ids=lambda row: row["thing"])
def test_what_the_page_points_to_is_there(row: re.Match[str]) -> None:
    path = _where(row["file"])
    assert path is not None
    assert set(re.findall(r"`([^`]+)`", row["names"])) <= _defined(path)


def test_every_file_the_page_names_exists() -> None:
    spans = re.findall(r"`([^`\n]+)`", PAGE.replace("```", ""))
    rooms = {path.name for path in (ROOT / "marketplace").rglob("*.*")} | STANDARD_ROOMS
    named = {one for span in spans if FILE.fullmatch(span) for one in _spelt_out(span)}
    missing = {one for one in named if _where(one) is None and one.rstrip("/") not in rooms}

    assert len(named) > 80
    assert {one for one in missing if not any(word in one for word in WOULD_BE)} - {"gateways/"} == set()


def test_accepting_with_escrow_is_understood_from_fifteen_files_that_exist() -> None:
    walk = (ROOT / "docs" / "deals.md").read_text(encoding="utf-8").partition("## One request from end to end")[2]
    files, folder = [], ""
    for name in re.findall(r"`([\w/]+\.py)`", walk):
        folder = name.rpartition("/")[0] or folder
        files.append(f"{folder}/{name.rpartition('/')[2]}")

    assert [one for one in files if _where(one) is None] == []
    assert 10 < len(set(files)) <= MOST_FILES


def test_the_page_shows_the_floors_as_the_manifests_have_them() -> None:
    shown = re.findall(r"^ ?(\d+) ((?:\w+/?(?: \| )?)+)", PAGE.partition("## Rooms")[0], re.MULTILINE)
    floors = {name.rstrip("/"): int(floor) for floor, names in shown for name in names.strip().split(" | ")}

    assert floors == {one.name: one.floor for one in SLICES}
