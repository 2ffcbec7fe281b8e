"""Reviews."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, Stamped, answer_conflict
from marketplace.kit.errors import Duplicate

WORKER, CLIENT = "worker", "client"
CLIENT_TO_WORKER, WORKER_TO_CLIENT = f"{CLIENT}_to_{WORKER}", f"{WORKER}_to_{CLIENT}"


class ReviewedAlready(Duplicate):
    """409: each side reviews a deal once."""

    code = "reviewed_already"
    sentence = "You have reviewed this deal already."


@answer_conflict("uq_reviews_deal_id_reviewer_id", ReviewedAlready())
class Review(Stamped, Base):
    """One side's review of a deal; `reviewed_as` is the other side's role in it. `reply` is what the other side says to
    it, first at `replied_at`."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("deal_id", "reviewer_id"),
        Index("ix_reviews_reviewed", "reviewed_user_id", "created_at", "id"),
        Index("ix_reviews_reviewer", "reviewer_id", "created_at", "id"),
        Index("ix_reviews_newest", "created_at", "id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint("reviewer_id <> reviewed_user_id", name="oneself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reviewed_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reviewed_as: Mapped[str] = mapped_column(String(10))
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id"))
    rating: Mapped[int]
    content: Mapped[str] = mapped_column(Text, default="")
    reply: Mapped[str] = mapped_column(Text, default="")
    replied_at: Mapped[datetime | None]
