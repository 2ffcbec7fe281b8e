"""Saved searches."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, CommaList, Stamped


class SavedSearch(Stamped, Base):
    """One saved search, in any category where none is named; with `alerts` its owner hears of things posted from
    `alerts_since` on."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        Index("ix_saved_searches_user_id", "user_id", "id"),
        Index("ix_saved_searches_alerts", "alerts", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    q: Mapped[str] = mapped_column(String(500), default="")
    types: Mapped[list[str]] = mapped_column(CommaList, default=list)
    categories: Mapped[list[str]] = mapped_column(CommaList, default=list)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius: Mapped[float | None]
    asked: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    alerts: Mapped[bool] = mapped_column(default=True)
    alerts_since: Mapped[datetime]
