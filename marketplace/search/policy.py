"""What can be searched and awaited: the kinds of things whose slices say how."""

from marketplace.core.manifest import Searchable, subjects


def searchable() -> dict[str, Searchable]:
    """By kind."""
    return {kind: subject.search for kind, subject in subjects().items() if subject.search is not None}


def awaited() -> list[str]:
    """Kinds that are put up and told of: what a saved search can wait for."""
    return [kind for kind in searchable() if subjects()[kind].posted is not None]
