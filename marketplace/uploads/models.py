"""Uploads, what uses them, and quotas."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, retry_conflict
from marketplace.kit.clock import now

PURPOSES = ("image", "document")
EXPORT = "export"  # a file that we made for its owner


class Upload(Base):
    """One file; `ready_at` is empty until its bytes are in the storage."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_owner", "owner_id", "created_at", "id"),
        Index("ix_uploads_unused", "unused_since"),
        CheckConstraint("size >= 0", name="size"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    stem: Mapped[str] = mapped_column(String(32), unique=True)
    extension: Mapped[str] = mapped_column(String(5), default="")
    purpose: Mapped[str] = mapped_column(String(20), default="image")
    is_private: Mapped[bool] = mapped_column(default=False)
    content_type: Mapped[str] = mapped_column(String(100))
    original_name: Mapped[str | None] = mapped_column(String(200))
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    has_thumbnails: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    ready_at: Mapped[datetime | None]
    unused_since: Mapped[datetime] = mapped_column(default=now)

    @property
    def filename(self) -> str:
        """The last part of its URL."""
        return f"{self.stem}.{self.extension}"


class UploadUse(Base):
    """A thing that shows a file; files without one are deleted after a while."""

    __tablename__ = "upload_uses"
    __table_args__ = (
        UniqueConstraint("upload_id", "thing", "thing_id"),
        Index("ix_upload_uses_thing", "thing", "thing_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"))
    thing: Mapped[str] = mapped_column(String(20))
    thing_id: Mapped[int]


@retry_conflict("uq_upload_usage_user_id")
class UploadUsage(Base):
    """Bytes and number of a person's files, changed by who adds or removes one."""

    __tablename__ = "upload_usage"
    __table_args__ = (CheckConstraint("size >= 0 AND files >= 0", name="size"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    size: Mapped[int] = mapped_column(default=0)
    files: Mapped[int] = mapped_column(default=0)
