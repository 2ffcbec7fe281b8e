"""People and their sign-ins."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, validates

from marketplace.core.database.db import Base, CommaList, Stamped, answer_conflict, retry_conflict
from marketplace.core.lists.full_text import keep_indexed
from marketplace.kit import text
from marketplace.kit.clock import now
from marketplace.kit.errors import Duplicate

USERNAME = re.compile(r"[A-Za-z0-9_]{3,30}")
USERNAME_RULE = "A username is 3 to 30 letters, digits and underscores."
USER_TYPES = ("freelancer", "client", "both")
ROLES = ("user", "moderator", "admin")
AVAILABILITIES = ("available", "busy", "away")


class UsernameTaken(Duplicate):
    """409: usernames are compared without case."""

    code = "username_taken"
    sentence = "This username is taken. Please choose another."


class EmailTaken(Duplicate):
    """409: an address has at most one account."""

    code = "email_taken"
    sentence = "There is an account with this e-mail address already. Sign in instead."


@answer_conflict("uq_users_username_key", UsernameTaken())
@answer_conflict("uq_users_email", EmailTaken())
@retry_conflict("uq_users_phone_key")
class User(Stamped, Base):
    """A person: client and provider at once. Sums and counts are kept exact by whoever changes them."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_area", "area_latitude", "area_longitude"),
        Index("uq_users_phone_key", "phone_key", unique=True),
        Index("ix_users_average_rating", "average_rating", "id"),
        Index("ix_users_created_at", "created_at", "id"),
        Index("ix_users_role", "role", "created_at", "id"),
        Index("ix_users_username_begins", "username_key", postgresql_ops={"username_key": "text_pattern_ops"}),
        Index("ix_users_email_begins", "email", postgresql_ops={"email": "text_pattern_ops"}),
        Index("ix_users_suspended_at", "suspended_at"),
        Index("ix_users_erased_at", "erased_at"),
        CheckConstraint("reviews_count >= 0 AND rating_sum >= 0", name="ratings"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(30))
    username_key: Mapped[str] = mapped_column(String(30), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(30))
    phone_key: Mapped[str | None] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(255))
    password_set_at: Mapped[datetime] = mapped_column(default=now)
    role: Mapped[str] = mapped_column(String(20), default="user")
    user_type: Mapped[str | None] = mapped_column(String(20))
    onboarding_completed: Mapped[bool] = mapped_column(default=False, server_default=false())
    first_name: Mapped[str] = mapped_column(String(100), default="")
    last_name: Mapped[str] = mapped_column(String(100), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    city: Mapped[str] = mapped_column(String(100), default="")
    country: Mapped[str] = mapped_column(String(100), default="")
    avatar_url: Mapped[str] = mapped_column(Text, default="")
    profile_picture_url: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(10), default="en")
    time_zone: Mapped[str] = mapped_column(String(50), default="UTC")
    is_active: Mapped[bool] = mapped_column(default=True)
    is_verified: Mapped[bool] = mapped_column(default=False)
    email_verified: Mapped[bool] = mapped_column(default=False)
    phone_verified: Mapped[bool] = mapped_column(default=False)
    is_helper: Mapped[bool] = mapped_column(default=False)
    skills: Mapped[list[str]] = mapped_column(CommaList, default=list)
    helper_categories: Mapped[list[str]] = mapped_column(CommaList, default=list)
    hourly_rate_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    area_latitude: Mapped[float | None]
    area_longitude: Mapped[float | None]
    rating_sum: Mapped[int] = mapped_column(default=0)
    reviews_count: Mapped[int] = mapped_column(default=0)
    average_rating: Mapped[float] = mapped_column(default=0.0)
    completed_tasks: Mapped[int] = mapped_column(default=0)
    declined_tasks: Mapped[int] = mapped_column(default=0)
    availability: Mapped[str] = mapped_column(String(10), default="available")
    last_active_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspension_reason: Mapped[str | None] = mapped_column(String(500))
    erased_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text, default="")
    import_ref: Mapped[str | None] = mapped_column(String(200), unique=True)

    @validates("latitude", "longitude")
    def _round_position(self, name: str, degrees: float | None) -> float | None:
        """Others search and measure by the area only: distances to the exact place would give it away."""
        setattr(self, f"area_{name}", area(degrees))
        return degrees


def said(fields: Mapping[str, Any]) -> list[str | None]:
    """The texts that a search for people reads; empty for who does not offer to help."""
    if not fields.get("is_helper"):
        return []
    names = ("first_name", "last_name", "username", "bio", "city")
    can = [*(fields.get("skills") or ()), *(fields.get("helper_categories") or ())]
    return [*(fields.get(name) for name in names), *can]


def indexed(fields: Mapping[str, Any]) -> dict[str, str]:
    """The search columns of these fields: `said`, folded."""
    return {"search_text": text.search_text(*said(fields))}


keep_indexed(User, indexed, said)


def area(degrees: float | None) -> float | None:
    """Rounded to two decimals, about a kilometre."""
    return None if degrees is None else round(degrees, 2)


class SignIn(Base):
    """One sign-in on one device; tokens name it and die with it. A refresh token is of one generation:
    trading it begins the next, so nothing that could be stolen from here opens anything."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_user_id", "user_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(20))
    generation: Mapped[int] = mapped_column(default=1)
    rotated_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)
    proved_at: Mapped[datetime] = mapped_column(default=now)
    device: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(64), default="")


class MailToken(Base):
    """A link that was sent by mail; a change of address has two, each naming the other as its partner."""

    __tablename__ = "mail_tokens"
    __table_args__ = (
        Index("ix_mail_tokens_user", "user_id", "purpose"),
        Index("ix_mail_tokens_partner_id", "partner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(254))
    partner_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
