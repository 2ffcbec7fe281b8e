"""Kinds that can be searched or waited for, as their slices' manifests say."""

from marketplace.core.manifest import Searchable, subjects


def searchable() -> dict[str, Searchable]:
    """Kind → how it is searched."""
    return {kind: subject.search for kind, subject in subjects().items() if subject.search is not None}


def awaited() -> list[str]:
    """Kinds whose posting is an event, so that a saved search can wait for them."""
    return [kind for kind in searchable() if subjects()[kind].posted is not None]
