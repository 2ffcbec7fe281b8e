"""Violations of the content rules; what was written is not kept."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base
from marketplace.kit.clock import now


class Violation(Base):
    """One rule broken by one text; `subject_id` is None where the text was refused and so never stored."""

    __tablename__ = "violations"
    __table_args__ = (Index("ix_violations_user", "user_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    rule: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(10))
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
