"""Slices read settings by core/ops/current_settings.py alone, by names and kinds that config.py declares."""

import ast
from collections.abc import Iterator
from pathlib import Path

import config

ROOT = Path(__file__).parents[2] / "marketplace"
# They hand on what they read, plug in by it, or set it for a while.
EDGES = ("core", "cli", "gateways", "providers", "demo_data")
KINDS = {
    "text": {"str", "choice"},
    "words": {"list"},
    "switch": {"bool"},
    "whole": {"int"},
    "days": {"int"},
    "path": {"str"},
}


def _asked() -> Iterator[tuple[str, str, str]]:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "current_settings":
                said = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
                yield from ((str(path.relative_to(ROOT)), node.func.attr, str(name)) for name in said)


def test_every_setting_a_slice_asks_for_is_declared_as_that_kind() -> None:
    declared = {one.key or one.name: one.kind for group in config.GROUPS for one in group.settings}
    asked = list(_asked())

    assert len(asked) > 40
    assert [one for one in asked if declared.get(one[2]) not in KINDS[one[1]]] == []


def test_no_slice_reads_the_settings_by_itself() -> None:
    inside = [path for path in ROOT.rglob("*.py") if not set(path.relative_to(ROOT).parts) & set(EDGES)]

    assert [str(path) for path in inside if "current_app.config" in path.read_text(encoding="utf-8")] == []
