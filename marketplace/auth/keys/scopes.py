"""What API keys can be given: one area of the API each, to read or to write; the areas are those of the routes.

Apart from the rooms: a vocabulary derived from the manifests, with which the schema of a new key checks it.
"""

from collections.abc import Iterable

from marketplace.core.manifest import Manifest, areas_of, slices

VERBS = ("read", "write")


def scopes() -> tuple[str, ...]:
    """Such as listings:read, in the order of the alphabet."""
    return scopes_of(slices())


def scopes_of(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """The same of these manifests."""
    return tuple(f"{area}:{verb}" for area in areas_of(manifests) for verb in VERBS)
