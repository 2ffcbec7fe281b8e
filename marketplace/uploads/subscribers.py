"""Uploads listen to profiles; safe to repeat."""

from marketplace.auth import queries as auth_queries
from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import ProfileChanged
from marketplace.uploads import service


@subscribe(ProfileChanged)
def note_avatar(event: ProfileChanged) -> None:
    """Mark a profile's pictures as used."""
    service.use("user", event.user_id, auth_queries.pictures(event.user_id))
