"""What the marketplace tells everybody, or some."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base
from marketplace.kit.clock import now

INFO, SUCCESS, WARNING, MAINTENANCE = TYPES = ("info", "success", "warning", "maintenance")
ALL, WORKERS, CLIENTS, OF_STAFF = TARGETS = ("all", "workers", "clients", "staff")


class Announcement(Base):
    """In force between `starts_at` and `ends_at` (None: until it is deleted), for people of its `target`.
    `told_through` is the id of the last person who was notified, `told_at` when the last one was."""

    __tablename__ = "announcements"
    __table_args__ = (
        Index("ix_announcements_created_at", "created_at", "id"),
        Index("ix_announcements_starts_at", "starts_at", "id"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="times"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(20), default=INFO)
    target: Mapped[str] = mapped_column(String(20), default=ALL)
    starts_at: Mapped[datetime] = mapped_column(default=now)
    ends_at: Mapped[datetime | None]
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    told_through: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
