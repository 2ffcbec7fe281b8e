"""Which kinds of things can be marked: those whose manifests say when one is deleted."""

from marketplace.core.manifest import Subject, subjects


def markable() -> dict[str, Subject]:
    """Kind → its subject, in the order clients know (listing comes last)."""
    found = {kind: subject for kind, subject in subjects().items() if subject.deleted is not None}
    return dict(sorted(found.items(), reverse=True))
