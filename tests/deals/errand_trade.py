"""A third, tiny kind of deal: an errand that somebody is asked to run, paid into escrow. No slice knows of it."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.auth.models import User
from marketplace.core.database.db import Base, db, save
from marketplace.core.manifest import ConfirmAfter, ConversationSubject, DealKind, Manifest, Settlement
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
    stages={"asked": "agreed", "back": "delivered", "run": "completed", "disputed": "disputed", "dropped": "cancelled"},
    deliver=move("asked", to="back", by={"runner"}),
    finish=move("asked", "back", to="run", by={"client", "system"}),
    dispute=move("asked", "back", to="disputed", by={"client", "runner"}),
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


def finish(errand_id: int, *, actor_id: int | None = None) -> None:
    errand = moved(errand_id, "finish", actor_id)
    deals_payments_service.demand(errand)
    deals_payments_service.release(errand)


def settle(errand_id: int, *, to_provider_minor: int | None, actor_id: int | None = None) -> None:
    errand = moved(errand_id, "annul" if to_provider_minor == 0 else "settle")
    deals_payments_service.settle(errand, to_provider_minor, by_id=actor_id)
    if to_provider_minor != 0:
        deals_payments_service.release(errand)


def moved(errand_id: int, verb: str, actor_id: int | None = None) -> Errand:
    """By one of its sides, a stranger, or by the marketplace; raises NotAllowed (403), WrongState (409)."""
    errand = db.session.get_one(Errand, errand_id)
    roles = {None: "system", errand.client_id: "client", errand.runner_id: "runner"}
    errand.advance(verb, actor={roles.get(actor_id, "stranger")}, actor_id=actor_id)
    return errand


DISPUTES = Settlement(
    lambda user, errand_id, reason="": moved(errand_id, "dispute", user.id),
    settle,
    lambda errand_id, actor_id=None: moved(errand_id, "reopen"),
)
KIND = DealKind("errand", LINK, DISPUTES, confirm_after=ConfirmAfter(timedelta(days=2), finish))
TALK = ConversationSubject("errand", LINK, deals_queries.talked_about("errand"), Errand)
WHAT = {"stateful": (Errand,), "deal_kinds": (KIND,), "conversation_subjects": (TALK,)}
AUDITED, WORDS = (stage_follows("errands", ERRAND_LIFECYCLE),), Path(__file__).with_name("errand_personal.toml")
ERRANDS = Manifest("errands", 5, invariants=AUDITED, personal=WORDS, **WHAT)
