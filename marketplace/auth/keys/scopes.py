"""Scopes of API keys: each area of the routes, to read or to write.

Apart from the rooms: a vocabulary derived from the manifests, with which the schema of a new key checks it.
"""

from collections.abc import Iterable

from marketplace.core.manifest import Manifest, areas_of, slices

VERBS = ("read", "write")


def scopes() -> tuple[str, ...]:
    """Every scope of the application (`listings:read`), sorted."""
    return scopes_of(slices())


def scopes_of(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """The scopes of these slices, sorted."""
    return tuple(f"{area}:{verb}" for area in areas_of(manifests) for verb in VERBS)
