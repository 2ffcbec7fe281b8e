"""What a table of a trade allows, to be compared with what happens; and where its deal stands afterwards."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import select

from marketplace.core.database.db import fetch
from marketplace.core.manifest import DealKind
from marketplace.deals.models import Deal, DealSubject
from marketplace.kit.lifecycle import Lifecycle


def _confirm(kind: DealKind, subject_id: int) -> object:
    assert kind.confirm_after is not None
    return kind.confirm_after.confirm(subject_id)


BY_ITSELF: dict[str, Callable[[DealKind, int], Any]] = {
    "settle": lambda kind, subject_id: kind.settlement.settle(subject_id, to_provider_minor=None),
    "annul": lambda kind, subject_id: kind.settlement.settle(subject_id, to_provider_minor=0),
    "reopen": lambda kind, subject_id: kind.settlement.reopen(subject_id),
    "confirm": _confirm,
}
"""What the marketplace does to a deal of any kind, by the verbs that its trade declares."""


def allowed(table: Lifecycle, state: str, verb: str, roles: Iterable[str]) -> int:
    """200 where the table allows it, 403 where it never does to these roles, 409 where not now."""
    mine = [move for move in table.moves[verb] if move.by & frozenset(roles)]
    if not mine:
        return 403
    return 200 if any(state in move.sources for move in mine) else 409


def leads_on(table: Lifecycle, verb: str, state: str) -> bool:
    """Whether the thing is in another state afterwards."""
    return any(move.to not in {None, state} for move in table.moves[verb] if state in move.sources)


def out_of_step(subject: DealSubject, state: str | None) -> str:
    """What is wrong with it, empty if nothing is: it is not in this state (where there is one it has to be in), or its
    deal is in another stage than that of its state."""
    if state not in {None, subject.status}:
        return f"{subject.status} instead of {state}"
    stages = fetch(select(Deal.stage).where(Deal.reference == subject.deal_reference))
    stage = subject.lifecycle.stages.get(subject.status, "cancelled")
    return "".join(f"{subject.status}, and its deal {row.stage}" for row in stages if row.stage != stage)
