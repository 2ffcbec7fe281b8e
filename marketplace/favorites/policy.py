"""What can be marked: every kind of thing whose slice says when one is gone."""

from marketplace.core.manifest import Subject, subjects


def markable() -> dict[str, Subject]:
    """By kind, in the order that clients know (listing comes last)."""
    found = {kind: subject for kind, subject in subjects().items() if subject.deleted is not None}
    return dict(sorted(found.items(), reverse=True))
