"""Favorites listen to deletions; safe to repeat."""

from marketplace.core.queues.outbox import subscribe_to_subjects
from marketplace.events.base import Event
from marketplace.favorites import service
from marketplace.favorites.policy import markable


@subscribe_to_subjects("deleted")
def forget_item(event: Event) -> None:
    """Delete the favorites on the deleted thing."""
    for kind, subject in markable().items():
        if subject.deleted is type(event):
            service.forget_item(kind, subject.id_in(event))
