"""Favorites."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, retry_conflict
from marketplace.kit.clock import now


@retry_conflict("uq_favorites_user_id_item_type_item_id")
class Favorite(Base):
    """One person's mark on one thing, named by its kind and id."""

    __tablename__ = "favorites"
    __table_args__ = (
        UniqueConstraint("user_id", "item_type", "item_id"),
        Index("ix_favorites_item", "item_type", "item_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    item_type: Mapped[str] = mapped_column(String(20))
    item_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
