"""Notifications, their deliveries, and what people have chosen."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, CommaList, retry_conflict
from marketplace.core.queues.work_queue import Leased
from marketplace.kit.clock import now


@retry_conflict("uq_notifications_user_id_key")
class Notification(Base):
    """One notification of one person; `key` names the event it tells, so that none is told twice. `named_id` is the
    other person whose words or name it repeats."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notifications_user", "user_id", "is_silent", "created_at", "id"),
        Index("ix_notifications_unread", "user_id", "read_at", "is_silent"),
        Index("ix_notifications_for_digest", "for_digest", "user_id"),
        Index("ix_notifications_created_at", "created_at"),
        Index("ix_notifications_named_id", "named_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    related_type: Mapped[str | None] = mapped_column(String(20))
    related_id: Mapped[int | None]
    named_id: Mapped[int | None]
    is_silent: Mapped[bool] = mapped_column(default=False)
    for_digest: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


@retry_conflict("uq_deliveries_key")
class Delivery(Leased, Base):
    """One message to one channel; `shown` is its text where the channel is the console."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_deliveries_waiting", "done_at", "due_at"),
        Index("ix_deliveries_user_id", "user_id"),
        Index("ix_deliveries_named_id", "named_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(160))
    related_id: Mapped[int | None]
    named_id: Mapped[int | None]
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("push_subscriptions.id", ondelete="CASCADE"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reference: Mapped[str | None] = mapped_column(String(200))
    shown: Mapped[str | None] = mapped_column(Text)


@retry_conflict("uq_push_subscriptions_endpoint")
class PushSubscription(Base):
    """One browser's push subscription; keys as RFC 8291 names them."""

    __tablename__ = "push_subscriptions"
    __table_args__ = (UniqueConstraint("endpoint"), Index("ix_push_subscriptions_user_id", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    endpoint: Mapped[str] = mapped_column(String(1000))
    p256dh: Mapped[str] = mapped_column(String(200))
    auth: Mapped[str] = mapped_column(String(100))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


@retry_conflict("uq_notification_preferences_user_id_kind_channel")
class Preference(Base):
    """A choice for one kind and channel; without a row the kind's usual one counts."""

    __tablename__ = "notification_preferences"
    __table_args__ = (UniqueConstraint("user_id", "kind", "channel"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(20))
    is_on: Mapped[bool]


@retry_conflict("uq_notification_habits_user_id")
class DeliverySettings(Base):
    """Quiet hours (local time as HH:MM) and digest of a person."""

    __tablename__ = "notification_habits"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    digest: Mapped[str] = mapped_column(String(10), default="off")


@retry_conflict("uq_job_alerts_user_id")
class JobAlert(Base):
    """A person wants to hear of new tasks near the place in their profile."""

    __tablename__ = "job_alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    radius_km: Mapped[float] = mapped_column(default=10.0)
    categories: Mapped[list[str]] = mapped_column(CommaList, default=list)
