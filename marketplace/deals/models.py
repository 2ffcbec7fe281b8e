"""Deals, and the rows of trades that they are about."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, update
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.auth.service import count_completed
from marketplace.core.database.db import Base, Stamped, db, fetch
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.queues.outbox import publish
from marketplace.deals.lifecycle import DealStage
from marketplace.events.deals import DealDisputed
from marketplace.kit.clock import now

TASK = "task"  # the contract names deals of tasks by the task's id
MOMENTS = {
    DealStage.DELIVERED: "delivered_at",
    DealStage.COMPLETED: "completed_at",
    DealStage.CANCELLED: "cancelled_at",
}


class Deal(Stamped, Base):
    """What two people agreed on, whichever trade it came from. `reference` ("task:7") names it for payments and
    clients; `price_minor` is None where nothing was agreed. Agreed on anew with somebody else, it is the same row."""

    __tablename__ = "deals"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index("ix_deals_client_id", "client_id", "agreed_at", "id"),
        Index("ix_deals_provider_id", "provider_id", "agreed_at", "id"),
        Index("ix_deals_stage", "stage", "completed_at", "id"),
        Index(
            "ix_deals_delivered",
            "kind",
            "delivered_at",
            postgresql_where=sql("stage = 'delivered'"),
            sqlite_where=sql("stage = 'delivered'"),
        ),
        CheckConstraint("client_id <> provider_id", name="two_sides"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int]
    reference: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    client_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    currency: Mapped[str] = mapped_column(String(3))
    price_minor: Mapped[int | None]
    category: Mapped[str] = mapped_column(String(60))
    payment: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(12), default=DealStage.AGREED)
    agreed_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


def task_reference(task_id: int) -> str:
    """The name of a task's deal: "task:7"."""
    return f"{TASK}:{task_id}"


def task_of(reference: str) -> int | None:
    """The id of the task that this deal is about; None where it is about something else."""
    thing, _, number = reference.partition(":")
    return int(number) if thing == TASK else None


class DealSubject(Stateful):
    """A row of a trade that becomes a deal (deals/service.py `agree`): each move of its table moves the deal too."""

    @property
    def deal_reference(self) -> str:
        """The name of its deal: "task:7"."""
        return f"{self.lifecycle.thing}:{self.id}"

    def advance(self, verb: str, *, actor: Iterable[str], actor_id: int | None = None) -> None:
        """As a thing with a lifecycle does; the deal's stage is written in the same transaction."""
        before = self.status
        super().advance(verb, actor=actor, actor_id=actor_id)
        if self.status != before and (self.lifecycle.stages.get(before) or self.lifecycle.stages.get(self.status)):
            db.session.flush()  # the subject's row first: everybody locks in this order
            self._carry_deal_along()

    def _carry_deal_along(self) -> None:
        stage = DealStage(self.lifecycle.stages.get(self.status, DealStage.CANCELLED))
        moment = {MOMENTS[stage]: now()} if stage in MOMENTS else {}
        mine = Deal.reference == self.deal_reference
        moved = fetch(update(Deal).where(mine).values(stage=stage, updated_at=now(), **moment).returning(*_told))
        if moved and stage == DealStage.DISPUTED:
            publish(DealDisputed(deal_id=moved[0].id))
        if moved and stage == DealStage.COMPLETED:
            count_completed(moved[0].provider_id)


_told = (Deal.id, Deal.provider_id)
