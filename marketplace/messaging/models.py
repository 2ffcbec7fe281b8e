"""Conversations, memberships, messages and blocks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, Stamped, retry_conflict
from marketplace.core.database.encryption import Encrypted
from marketplace.kit.clock import now

ATTACHMENT_TYPES = ("image", "file", "video", "audio")
OWNER, MEMBER = "owner", "member"


@retry_conflict("uq_conversations_participant_1_id_participant_2_id_subject")
class Conversation(Stamped, Base):
    """One per pair and subject (the pair is kept with the lower id first), or a room with a title.

    `subject_kind` and `subject_id` name the thing that it is about, of any slice whose manifest says how; `subject` is
    the same in one word ("task:7"), empty where it is about nothing.
    `last_seq` numbers the messages; `last_rev` counts whatever changes one, so that a client that was away
    asks for what is newer than the last it knows.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("participant_1_id", "participant_2_id", "subject"),
        Index("ix_conversations_second", "participant_2_id"),
        CheckConstraint("participant_1_id < participant_2_id", name="pair"),
        CheckConstraint("(subject_kind IS NULL) = (subject_id IS NULL)", name="subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    participant_1_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    participant_2_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str] = mapped_column(String(40), default="")
    title: Mapped[str] = mapped_column(String(100), default="")
    subject_kind: Mapped[str | None] = mapped_column(String(20))
    subject_id: Mapped[int | None]
    last_seq: Mapped[int] = mapped_column(default=0)
    last_rev: Mapped[int] = mapped_column(default=0)

    @property
    def is_room(self) -> bool:
        """Whether it has members that come and go, and no pair."""
        return self.participant_1_id is None


class Membership(Base):
    """One person in one conversation: from which message on they see it, how far they have read, whether it is archived
    or muted."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("conversation_id", "user_id"),
        Index("ix_memberships_user_id", "user_id", "left_at"),
        CheckConstraint("read_seq <= delivered_seq", name="read"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(String(10), default=MEMBER)
    since_seq: Mapped[int] = mapped_column(default=0)
    delivered_seq: Mapped[int] = mapped_column(default=0)
    read_seq: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
    muted_at: Mapped[datetime | None]
    joined_at: Mapped[datetime] = mapped_column(default=now)
    left_at: Mapped[datetime | None]


class Message(Base):
    """A message, numbered within its conversation without gaps; the text is encrypted by the application."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("sender_id", "client_message_id"),
        Index("ix_messages_rev", "conversation_id", "rev"),
        Index("ix_messages_same", "sender_id", "digest", "created_at"),
        Index("ix_messages_sent", "sender_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    rev: Mapped[int]
    sender_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(Encrypted, default="")
    digest: Mapped[str | None] = mapped_column(String(32))
    client_message_id: Mapped[str | None] = mapped_column(String(100))
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    attachment_url: Mapped[str | None] = mapped_column(Text)
    attachment_type: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(default=now)
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class MessageVersion(Base):
    """The text of a message before an edit."""

    __tablename__ = "message_versions"
    __table_args__ = (Index("ix_message_versions_message_id", "message_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    sender_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(Encrypted, default="")
    replaced_at: Mapped[datetime] = mapped_column(default=now)


@retry_conflict("uq_reactions_message_id_user_id_emoji")
class Reaction(Base):
    """One person's emoji under a message."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("message_id", "user_id", "emoji"), Index("ix_reactions_user_id", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    emoji: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=now)


@retry_conflict("uq_blocks_blocker_id_blocked_id")
class Block(Base):
    """One person blocks another; neither can write to the other then."""

    __tablename__ = "blocks"
    __table_args__ = (UniqueConstraint("blocker_id", "blocked_id"), Index("ix_blocks_blocked_id", "blocked_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    blocker_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    blocked_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)
