"""A third, tiny kind of deal: an errand that somebody is asked to run, paid into escrow. No slice knows of it."""

from pathlib import Path

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.auth.models import User
from marketplace.core.database.db import Base, db, save
from marketplace.core.manifest import ConversationSubject, DealKind, Manifest, Settlement
from marketplace.deals import queries as deals_queries
from marketplace.deals import service as deals_service
from marketplace.deals.invariants import stage_follows
from marketplace.deals.models import DealSubject
from marketplace.deals.payments import service as deals_payments_service
from marketplace.kit.lifecycle import Lifecycle, move

LINK = "/api/errands/{id}"
ERRAND_LIFECYCLE = Lifecycle.table(
    "errand",
    "asked",
    stages={"asked": "agreed", "run": "completed", "disputed": "disputed", "dropped": "cancelled"},
    finish=move("asked", to="run", by={"client"}),
    dispute=move("asked", to="disputed", by={"client", "runner"}),
    settle=move("disputed", to="run", by={"system"}),
    annul=move("disputed", to="dropped", by={"system"}),
    reopen=move("disputed", to="asked", by={"system"}),
)


class Errand(DealSubject, Base):
    """Somebody goes somewhere for somebody."""

    __tablename__ = "errands"
    lifecycle = ERRAND_LIFECYCLE

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    runner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def ask(client: User, runner_id: int, *, title: str, price_minor: int) -> Errand:
    errand = save(Errand(client_id=client.id, runner_id=runner_id))
    terms = {"title": title, "currency": "EUR", "category": "other", "payment": "escrow", "price_minor": price_minor}
    deals_service.agree(errand, kind="errand", client_id=client.id, provider_id=runner_id, **terms)
    return errand


def finish(errand_id: int) -> None:
    errand = db.session.get_one(Errand, errand_id)
    deals_payments_service.demand(errand)
    errand.advance("finish", actor={"client"}, actor_id=errand.client_id)
    deals_payments_service.release(errand)


def dispute(user: User, errand_id: int, *, reason: str = "") -> None:
    db.session.get_one(Errand, errand_id).advance("dispute", actor={"client", "runner"}, actor_id=user.id)


def settle(errand_id: int, *, to_provider_minor: int | None, actor_id: int | None = None) -> None:
    errand = db.session.get_one(Errand, errand_id)
    errand.advance("annul" if to_provider_minor == 0 else "settle", actor={"system"}, actor_id=actor_id)
    deals_payments_service.settle(errand, to_provider_minor, by_id=actor_id)
    if to_provider_minor != 0:
        deals_payments_service.release(errand)


def reopen(errand_id: int, *, actor_id: int | None = None) -> None:
    db.session.get_one(Errand, errand_id).advance("reopen", actor={"system"}, actor_id=actor_id)


ERRANDS = Manifest(
    name="errands",
    floor=5,
    stateful=(Errand,),
    invariants=(stage_follows("errands", ERRAND_LIFECYCLE),),
    conversation_subjects=(ConversationSubject("errand", LINK, deals_queries.talked_about("errand"), Errand),),
    deal_kinds=(DealKind("errand", LINK, Settlement(dispute, settle, reopen)),),
    personal=Path(__file__).with_name("errand_personal.toml"),
)
