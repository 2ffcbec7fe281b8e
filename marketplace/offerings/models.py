"""Offerings."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, BigInt
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.database.prices import rank_sql
from marketplace.core.lists.full_text import keep_indexed
from marketplace.kit import text
from marketplace.offerings.lifecycle import OFFERING_LIFECYCLE

PRICE_TYPES = ("hourly", "fixed", "per_item", "negotiable")


class Offering(Stateful, Base):
    """A skill or service on offer in an area."""

    __tablename__ = "offerings"
    __table_args__ = (
        Index("ix_offerings_browse", "category", "status", "latitude", "longitude"),
        Index("ix_offerings_place", "status", "latitude", "longitude"),
        Index("ix_offerings_newest", "status", "created_at", "id"),
        Index("ix_offerings_category_newest", "category", "status", "created_at", "id"),
        Index("ix_offerings_price", "status", "price_rank", "id"),
        Index("ix_offerings_creator", "creator_id", "created_at", "id"),
        CheckConstraint("price_minor >= 0", name="price"),
    )
    lifecycle = OFFERING_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(ForeignKey("categories.key", onupdate="CASCADE"))
    subcategory: Mapped[str | None] = mapped_column(String(60))
    price_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    price_rank: Mapped[int] = mapped_column(BigInt, Computed(rank_sql("price_minor"), persisted=True))
    price_type: Mapped[str] = mapped_column(String(20), default="fixed")
    location: Mapped[str] = mapped_column(String(300), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    service_radius: Mapped[float | None]
    availability: Mapped[str] = mapped_column(String(500), default="")
    experience: Mapped[str] = mapped_column(Text, default="")
    images: Mapped[list[str]] = mapped_column(JSON, default=list)
    contact_count: Mapped[int] = mapped_column(default=0)
    search_text: Mapped[str] = mapped_column(Text, default="")
    import_ref: Mapped[str | None] = mapped_column(String(200), unique=True)


def said(fields: Mapping[str, Any]) -> list[str | None]:
    """The texts that a search reads."""
    names = ("title", "description", "location", "category", "subcategory", "experience")
    return [fields.get(name) for name in names]


def indexed(fields: Mapping[str, Any]) -> dict[str, str]:
    """The search columns of these fields: their texts, folded."""
    return {"search_text": text.search_text(*said(fields))}


keep_indexed(Offering, indexed, said)
