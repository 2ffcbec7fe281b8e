"""The lists of `.importlinter` that follow from the manifests: floors, slices with rooms, their schemas."""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from marketplace.core.manifest import Manifest

PACKAGE = Path(__file__).parents[1]
ABOVE = ("marketplace.worker", "marketplace.app", "marketplace.wiring")
BELOW = ("marketplace.events", "marketplace.kit")
WITHOUT_ROOMS = {"core", "cli"}  # they are no slices
WITHOUT_LAYERS = {"gateways", "providers", "subscribers"}  # packages that are one room themselves


def with_lists(written: str, manifests: Iterable[Manifest]) -> str:
    """What stands in the file, with these lists as they must be; the order of the rooms is written by hand."""
    known = sorted(manifests, key=lambda one: one.name)
    named = [one.name for one in known if one.name not in WITHOUT_ROOMS]
    written = _listed(written, "floors", "layers", floors(known))
    written = _listed(written, "rooms", "containers", [room for name in named for room in _containers(name)])
    return _listed(written, "schemas", "source_modules", [name for slice_ in named for name in _schemas(slice_)])


def floors(manifests: Iterable[Manifest]) -> list[str]:
    """From the top; siblings beside each other."""
    downwards = sorted(manifests, key=lambda one: (-one.floor, one.name))
    levels = [list(level) for _, level in groupby(downwards, key=lambda one: one.floor)]
    return [*ABOVE, *(" | ".join(f"marketplace.{one.name}" for one in level) for level in levels), *BELOW]


def _containers(name: str) -> list[str]:
    below = (path.parent.relative_to(PACKAGE).parts for path in (PACKAGE / name).rglob("*/__init__.py"))
    inner = sorted(parts for parts in below if not WITHOUT_LAYERS & set(parts))
    return [".".join(("marketplace", *parts)) for parts in ((name,), *inner)]


def _schemas(name: str) -> list[str]:
    found = sorted(path.relative_to(PACKAGE).with_suffix("") for path in (PACKAGE / name).rglob("schemas.py"))
    return [".".join(("marketplace", *path.parts)) for path in found]


def _listed(written: str, contract: str, key: str, values: list[str]) -> str:
    """The values of one key of one contract, a line each."""
    place = re.compile(rf"(\[importlinter:contract:{contract}\][^\[]*?\n{key} =\n)(?: +\S.*\n?)*")
    lines = "".join(f"    {value}\n" for value in values)
    return place.sub(lambda found: found[1] + lines, written)
