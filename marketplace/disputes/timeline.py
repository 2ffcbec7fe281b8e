"""A dispute's timeline, composed of the rows of its file and its state changes; nothing is stored for it.

Apart from the rooms: it composes rows that the queries have read.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select

from marketplace.core.database.db import fetch_as
from marketplace.core.database.lifecycle import StateChange
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, OFFER_LIFECYCLE
from marketplace.kit.json_types import JsonObject

# What the moves of the tables are called in the story. What they say beside it stands in rows of their own.
OF_DISPUTE = {"lapse": "response_overdue", "appeal": "appealed", "withdraw": "withdrawn"}
OF_OFFER = {"accept": "offer_accepted", "decline": "offer_declined", "withdraw": "offer_withdrawn"}
KINDS = (
    *("opened", "responded", "statement", "evidence_added", "offer_made"),
    *("decided", "final", *OF_DISPUTE.values(), *OF_OFFER.values()),
)


def of(dispute: Any, *, statements: Any, evidence: Any, offers: Any, decisions: Any) -> list[JsonObject]:
    """Everything that happened, earliest first: what, who (None: the clock), when, and the row's id."""
    steps = [
        _step("opened", dispute.created_at, dispute.opened_by_id, None),
        *_said(dispute, statements),
        *(_step("evidence_added", row.created_at, row.author_id, row.id) for row in evidence),
        *(_step("offer_made", row.created_at, row.author_id, row.id) for row in offers),
        *(_step("decided", row.decided_at, row.decided_by_id, row.id) for row in decisions),
        *_moves_of_dispute(dispute.id),
        *_moves_of_offers([row.id for row in offers]),
    ]
    return sorted(steps, key=lambda step: (step["event"] == "final", step["at"]))


def _said(dispute: Any, statements: Iterable[Any]) -> Iterator[JsonObject]:
    """Statements; the other side's first one is called the response."""
    answered = False
    for row in statements:
        is_answer = row.author_id == dispute.against_id and not answered
        answered = answered or is_answer
        yield _step("responded" if is_answer else "statement", row.created_at, row.author_id, row.id)


def _moves_of_dispute(dispute_id: int) -> Iterator[JsonObject]:
    for row in _history(DISPUTE_LIFECYCLE.thing, [dispute_id]):
        if row.verb in OF_DISPUTE:
            yield _step(OF_DISPUTE[row.verb], row.at, row.actor_id, None)
        if row.to_state == "resolved":
            yield _step("final", row.at, row.actor_id, None)


def _moves_of_offers(ids: list[int]) -> Iterator[JsonObject]:
    for row in _history(OFFER_LIFECYCLE.thing, ids):
        yield _step(OF_OFFER[row.verb], row.at, row.actor_id, row.thing_id)


class ChangeRow(Protocol):
    """A row of state_changes."""

    thing_id: int
    verb: str
    to_state: str
    at: datetime
    actor_id: int | None


def _history(thing: str, ids: list[int]) -> list[ChangeRow]:
    steps = select(StateChange.__table__).where(StateChange.thing == thing, StateChange.thing_id.in_(ids))
    return fetch_as(ChangeRow, steps.order_by(StateChange.id)) if ids else []


def _step(event: str, at: Any, actor_id: int | None, subject_id: int | None) -> JsonObject:
    return {"event": event, "at": at, "actor_id": actor_id, "subject_id": subject_id}
