"""Security signals: what happened around accounts, for the risk rules to count."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base
from marketplace.kit.clock import now


class Signal(Base):
    """One thing that happened around an account; a sign-in has its score and verdict too. No foreign key: checking one
    for an account and none for nobody would tell by the time."""

    __tablename__ = "security_signals"
    __table_args__ = (
        Index("ix_security_signals_user", "user_id", "kind", "created_at"),
        Index("ix_security_signals_address", "address", "kind", "created_at"),
        Index("ix_security_signals_created_at", "created_at", "id"),
        Index("ix_security_signals_verdict", "verdict", "created_at", "id"),
        Index("ix_security_signals_score", "score"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    user_id: Mapped[int | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    device: Mapped[str] = mapped_column(String(300), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    score: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str] = mapped_column(String(10), default="")
    reasons: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
