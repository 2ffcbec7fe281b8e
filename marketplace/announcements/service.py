"""Announce something, change it, end it, and notify whom it is for."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.announcements import queries
from marketplace.announcements.models import Announcement
from marketplace.auth.models import User
from marketplace.core.database.db import db, locked, locked_row, one, save
from marketplace.core.ops import audit_log
from marketplace.kit.clock import now
from marketplace.kit.errors import Invalid
from marketplace.notifications import service as notifications_service

KIND = "announcement"


def announce(user: User, *, starts_at: datetime | None = None, **said: Any) -> Announcement:
    """From now on, or from `starts_at`. Raises Invalid (422)."""
    made = Announcement(by_id=user.id, starts_at=starts_at or now(), **said)
    _demand_times(made)
    save(made)
    audit_log.record("announcement.create", KIND, made.id, target=made.target)
    return made


def edit(announcement_id: int, **said: Any) -> Announcement:
    """Change what is said, to whom or when; who was notified already is not notified again. Raises NotFound, Invalid
    (422)."""
    found = locked_row(Announcement, _find(announcement_id).id)
    for name, value in said.items():
        setattr(found, name, value)
    _demand_times(found)
    db.session.flush()
    audit_log.record("announcement.edit", KIND, found.id, changed=sorted(said))
    return found


def delete(announcement_id: int) -> None:
    """It is shown no more; notifications that were sent stay. Raises NotFound."""
    db.session.delete(_find(announcement_id))
    audit_log.record("announcement.delete", KIND, announcement_id)


def tell_some(announcement_id: int, most: int) -> bool:
    """Notify the next people it is for; False once everybody was."""
    found = db.session.scalar(locked(select(Announcement).where(Announcement.id == announcement_id)))
    if found is None:
        return False
    people = queries.audience(found.target, found.told_through, most)
    key, said = str(found.id), (found.title, found.message)
    for user_id in people:
        notifications_service.notify_once(user_id, KIND, key, related_id=found.id, headline=said[0], text=said[1])
    found.told_through = people[-1] if people else found.told_through
    found.told_at = now() if len(people) < most else None
    db.session.flush()
    return found.told_at is None


def _find(announcement_id: int) -> Announcement:
    return one(select(Announcement).where(Announcement.id == announcement_id), KIND)


def _demand_times(made: Announcement) -> None:
    if made.ends_at is not None and made.ends_at <= made.starts_at:
        raise Invalid.field("ends_at", "It ends before it starts.")
