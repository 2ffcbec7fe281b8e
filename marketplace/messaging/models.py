"""Conversations between two people and their messages."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base, Stamped, found_next_time
from marketplace.kit.clock import now

ATTACHMENT_TYPES = ("image", "file", "video", "audio")


class Conversation(Stamped, Base):
    """One per pair and subject; the pair is kept with the lower id first."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("participant_1_id", "participant_2_id", "subject"),
        Index("ix_conversations_second", "participant_2_id"),
        CheckConstraint("participant_1_id < participant_2_id", name="pair"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_1_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    participant_2_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str] = mapped_column(String(40), default="")
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offerings.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listings.id"))
    last_seq: Mapped[int] = mapped_column(default=0)


class Message(Base):
    """Numbered within its conversation without a gap."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("sender_id", "client_message_id"),
        Index("ix_messages_unread", "conversation_id", "sender_id", "read_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    sender_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(Text, default="")
    client_message_id: Mapped[str | None] = mapped_column(String(100))
    attachment_url: Mapped[str | None] = mapped_column(Text)
    attachment_type: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(default=now)
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]


found_next_time.add("uq_conversations_participant_1_id_participant_2_id_subject")
