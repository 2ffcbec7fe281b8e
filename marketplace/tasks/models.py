"""Tasks and applications."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, BigInt, CommaList, answer_conflict
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.database.prices import rank_sql
from marketplace.core.lists.full_text import keep_indexed
from marketplace.deals.models import DealSubject
from marketplace.kit import text
from marketplace.kit.errors import Duplicate
from marketplace.tasks.lifecycle import APPLICATION_LIFECYCLE, TASK_LIFECYCLE

PRIORITIES = ("low", "normal", "high", "urgent")
PAYMENTS = ("outside", "escrow")
DIFFICULTIES = ("easy", "medium", "hard")


class AppliedAlready(Duplicate):
    """409: a person applies for a task once."""

    code = "applied_already"
    sentence = "You have applied for this task already."


class Task(DealSubject, Base):
    """A small job somebody wants done."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_browse", "category", "status", "latitude", "longitude"),
        Index("ix_tasks_place", "status", "latitude", "longitude"),
        # booked rides along so that totals are counted in the index alone
        Index("ix_tasks_newest", "status", "created_at", "id", postgresql_include=["booked"]),
        Index("ix_tasks_category_newest", "category", "status", "created_at", "id", postgresql_include=["booked"]),
        Index("ix_tasks_budget", "status", "budget_rank", "id"),
        Index("ix_tasks_deadline", "status", "deadline"),
        Index("ix_tasks_creator", "creator_id", "created_at", "id"),
        Index("ix_tasks_worker", "assigned_to_id", "status", "updated_at", "id"),
        CheckConstraint("budget_minor >= 0", name="budget"),
        CheckConstraint("assigned_to_id <> creator_id", name="own_worker"),
    )
    lifecycle = TASK_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    creator_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    booked: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(ForeignKey("categories.key", onupdate="CASCADE"))
    subcategory: Mapped[str | None] = mapped_column(String(60))
    budget_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    payment: Mapped[str] = mapped_column(String(10), default="outside")
    agreed_minor: Mapped[int | None]
    budget_rank: Mapped[int] = mapped_column(BigInt, Computed(rank_sql("budget_minor"), persisted=True))
    location: Mapped[str] = mapped_column(String(300), default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius: Mapped[float | None]
    required_skills: Mapped[list[str]] = mapped_column(CommaList, default=list)
    images: Mapped[list[str]] = mapped_column(JSON, default=list)
    priority: Mapped[str] = mapped_column(String(20), default="normal")
    difficulty: Mapped[str | None] = mapped_column(String(20))
    is_urgent: Mapped[bool] = mapped_column(default=False)
    deadline: Mapped[datetime | None]
    responses_count: Mapped[int] = mapped_column(default=0)
    done_note: Mapped[str] = mapped_column(Text, default="")
    done_images: Mapped[list[str]] = mapped_column(JSON, default=list)
    reason: Mapped[str] = mapped_column(Text, default="")
    completed_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text, default="")
    import_ref: Mapped[str | None] = mapped_column(String(200), unique=True)

    @property
    def price_minor(self) -> int | None:
        """Agreed price, else budget, in minor units; None where neither is."""
        return self.agreed_minor if self.agreed_minor is not None else self.budget_minor


@answer_conflict("uq_applications_task_id_applicant_id", AppliedAlready())
class Application(Stateful, Base):
    """A person's offer to do a task."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("task_id", "applicant_id"),
        Index("ix_applications_applicant", "applicant_id", "created_at", "id"),
    )
    lifecycle = APPLICATION_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    applicant_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    message: Mapped[str] = mapped_column(Text, default="")
    proposed_price_minor: Mapped[int | None]
    budget_minor: Mapped[int | None]  # the task's, where nothing was proposed: what the applicant agreed to
    currency: Mapped[str] = mapped_column(String(3))  # the task's may change, what was proposed may not
    passed_over: Mapped[bool] = mapped_column(default=False)


def price_of(application: Any, task_budget_minor: int | None) -> int | None:
    """The price if it is accepted, minor units: the one proposed, else the budget when they applied, else the budget of
    now; None without any."""
    agreed = (application.proposed_price_minor, application.budget_minor, task_budget_minor)
    return next((minor for minor in agreed if minor is not None), None)


def said(fields: Mapping[str, Any]) -> list[str | None]:
    """The texts that a search reads."""
    names = ("title", "description", "location", "category", "subcategory")
    return [*(fields.get(name) for name in names), *(fields.get("required_skills") or ())]


def indexed(fields: Mapping[str, Any]) -> dict[str, str]:
    """The search columns of these fields: their texts, folded."""
    return {"search_text": text.search_text(*said(fields))}


keep_indexed(Task, indexed, said)
