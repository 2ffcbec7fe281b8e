"""Codes sent to telephones, and the rows that keep two senders from counting at once."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.auth.one_time_codes import Guessable
from marketplace.core.database.db import Base, retry_conflict
from marketplace.kit.clock import now


class PhoneCode(Guessable, Base):
    """One code sent by SMS to a number (E.164), to verify it or to sign in by it. One without a user is never sent."""

    __tablename__ = "phone_codes"
    __table_args__ = (
        Index("ix_phone_codes_phone", "phone", "created_at"),
        Index("ix_phone_codes_user_id", "user_id", "created_at"),
        Index("ix_phone_codes_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(10))
    phone: Mapped[str] = mapped_column(String(20))


@retry_conflict("uq_phone_turns_name")
class PhoneTurn(Base):
    """A lock by name: a number, or `*` for all of them. Who sends takes it, so that the limits hold in a burst."""

    __tablename__ = "phone_turns"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    taken_at: Mapped[datetime] = mapped_column(default=now)
