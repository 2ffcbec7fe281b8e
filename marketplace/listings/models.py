"""Classifieds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, BigInt, CommaList
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.database.prices import rank_sql
from marketplace.core.lists.full_text import keep_indexed
from marketplace.kit import text
from marketplace.listings.lifecycle import LISTING_LIFECYCLE

CONDITIONS = ("new", "like_new", "used", "good", "fair", "poor", "refurbished")
LISTING_TYPES = ("sale", "purchase", "exchange")


class Listing(Stateful, Base):
    """Something to sell, buy or exchange."""

    __tablename__ = "listings"
    __table_args__ = (
        Index(
            *("ix_listings_browse", "category", "status", "latitude", "longitude"),
            postgresql_include=["expires_at", "id"],
        ),
        Index("ix_listings_place", "status", "latitude", "longitude", postgresql_include=["expires_at", "id"]),
        # expires_at rides along so that totals are counted in the index alone
        Index("ix_listings_newest", "status", "created_at", "id", postgresql_include=["expires_at"]),
        Index(
            "ix_listings_category_newest", "category", "status", "created_at", "id", postgresql_include=["expires_at"]
        ),
        Index("ix_listings_price", "status", "price_rank", "id"),
        Index("ix_listings_expires", "status", "expires_at"),
        Index(
            *("ix_listings_featured", "status", "created_at", "id"),
            postgresql_where=sql("is_featured"),
            sqlite_where=sql("is_featured = 1"),
        ),
        Index("ix_listings_seller", "seller_id", "created_at", "id"),
        CheckConstraint("price_minor >= 0", name="price"),
    )
    lifecycle = LISTING_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(ForeignKey("categories.key", onupdate="CASCADE"))
    subcategory: Mapped[str | None] = mapped_column(String(60))
    condition: Mapped[str | None] = mapped_column(String(20))
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    price_rank: Mapped[int] = mapped_column(BigInt, Computed(rank_sql("price_minor"), persisted=True))
    location: Mapped[str] = mapped_column(String(300), default="")
    location_key: Mapped[str] = mapped_column(Text, default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    images: Mapped[list[str]] = mapped_column(JSON, default=list)
    contact_info: Mapped[str] = mapped_column(String(500), default="")
    tags: Mapped[list[str]] = mapped_column(CommaList, default=list)
    listing_type: Mapped[str] = mapped_column(String(20), default="sale")
    is_featured: Mapped[bool] = mapped_column(default=False)
    is_negotiable: Mapped[bool] = mapped_column(default=False)
    views_count: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text, default="")
    import_ref: Mapped[str | None] = mapped_column(String(200), unique=True)


def said(fields: Mapping[str, Any]) -> list[str | None]:
    """The texts that a search reads."""
    names = ("title", "description", "location", "category", "subcategory")
    return [*(fields.get(name) for name in names), *(fields.get("tags") or ())]


def indexed(fields: Mapping[str, Any]) -> dict[str, str]:
    """The search columns of these fields: their texts, folded."""
    return {
        "search_text": text.search_text(*said(fields)),
        "location_key": text.search_text(fields.get("location")),
    }


keep_indexed(Listing, indexed, said)
