"""A dispute's file in the few fields that a list shows: pictures, the first answer, how it ended.

Apart from the rooms: it composes rows that the queries have read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.core.database.db import fetch
from marketplace.core.database.lifecycle import StateChange
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, DisputeStatus
from marketplace.kit.json_types import JsonObject
from marketplace.uploads.addresses import url_of

REFUND, PAY_WORKER, PARTIAL, CANCELLED = "refund", "pay_worker", "partial", "cancelled"
RESOLUTIONS = (REFUND, PAY_WORKER, PARTIAL, CANCELLED)


@dataclass
class Rows:
    """The rows of one dispute's file, each kind oldest first."""

    statements: list[Any] = field(default_factory=list)
    evidence: list[Any] = field(default_factory=list)
    decisions: list[Any] = field(default_factory=list)


def by_dispute(*, statements: Iterable[Any], evidence: Iterable[Any], decisions: Iterable[Any]) -> dict[int, Rows]:
    """The rows of several disputes, apart."""
    found: dict[int, Rows] = defaultdict(Rows)
    for name, rows in (("statements", statements), ("evidence", evidence), ("decisions", decisions)):
        for row in rows:
            getattr(found[row.dispute_id], name).append(row)
    return found


def resolved_at(ids: list[int]) -> dict[int, datetime]:
    """When each of these disputes was resolved; without those that are not."""
    steps = select(StateChange.thing_id, func.max(StateChange.at).label("at")).group_by(StateChange.thing_id)
    resolved = steps.where(StateChange.thing == DISPUTE_LIFECYCLE.thing, StateChange.to_state == DisputeStatus.RESOLVED)
    return {row.thing_id: row.at for row in fetch(resolved.where(StateChange.thing_id.in_(ids)))} if ids else {}


def of(dispute: Mapping[str, Any], rows: Rows) -> JsonObject:
    """The pictures and the first answer of each side, and the note of the decision in force (None: there is none)."""
    opener, respondent = dispute["opened_by_id"], dispute["against_id"]
    answer = next((said for said in rows.statements if said.author_id == respondent), None)
    return {
        "evidence_images": _pictures(rows.evidence, opener),
        "response_images": _pictures(rows.evidence, respondent),
        "response_description": None if answer is None else answer.content,
        "responded_at": None if answer is None else answer.created_at,
        "resolution_notes": rows.decisions[-1].note if rows.decisions else None,
    }


def resolution(outcome: str | None, to_worker_minor: int | None, price_minor: int | None) -> str | None:
    """One word for the terms; None while there are none. A part is less than the price that was agreed on."""
    if outcome is None or outcome == CANCELLED:
        return REFUND if outcome and to_worker_minor is not None else outcome
    return PARTIAL if to_worker_minor is not None and to_worker_minor < (price_minor or 0) else PAY_WORKER


def _pictures(evidence: Iterable[Any], author_id: int) -> list[str]:
    """The addresses of a side's pictures that are there still."""
    shown = [row for row in evidence if row.author_id == author_id and row.stem is not None]
    return [url_of(row) for row in shown if row.content_type.startswith("image/")]
