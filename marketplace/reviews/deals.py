"""Completed deals as one of their sides sees them: whom to review, and as what.

Apart from the rooms: reads of the deals below, which reviews are about.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import exists, or_, select, union_all

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, fetch_as
from marketplace.deals.lifecycle import DealStage
from marketplace.deals.models import Deal
from marketplace.reviews.models import CLIENT, WORKER, Review


@dataclass(frozen=True, slots=True)
class Reviewable:
    """A completed deal seen by one side: the other person, and their role. (Clients call the provider of a deal the
    worker.)"""

    deal_id: int
    reference: str
    title: str
    completed_at: datetime | None
    other_id: int
    other_was: str

    @property
    def review_type(self) -> str:
        """`client_to_worker` or `worker_to_client`."""
        return f"{self.my_role}_to_{self.other_was}"

    @property
    def my_role(self) -> str:
        """The reviewer's role in the deal."""
        return CLIENT if self.other_was == WORKER else WORKER


def completed(user: User, reference: str) -> Reviewable | None:
    """A completed deal for one of its sides; None for others, and where it is not completed."""
    sides = or_(Deal.client_id == user.id, Deal.provider_id == user.id)
    wanted = select(Deal.__table__).where(Deal.reference == reference, Deal.stage == DealStage.COMPLETED, sides)
    rows = fetch(wanted)
    return _seen_by(user.id, rows[0]) if rows else None


def unreviewed(user: User, other_id: int) -> list[Reviewable]:
    """Completed deals with the other person that `user` has not reviewed, latest first."""
    reviewed = exists().where(Review.deal_id == Deal.id, Review.reviewer_id == user.id)
    between = or_(
        (Deal.client_id == user.id) & (Deal.provider_id == other_id),
        (Deal.client_id == other_id) & (Deal.provider_id == user.id),
    )
    wanted = select(Deal.__table__).where(between, Deal.stage == DealStage.COMPLETED, ~reviewed)
    return [_seen_by(user.id, row) for row in fetch(wanted.order_by(Deal.completed_at.desc(), Deal.id.desc()))]


class UnratedSide(Protocol):
    """A side of a deal that has not reviewed the other."""

    reference: str
    user_id: int
    other_id: int


def unrated(since: datetime, until: datetime) -> list[UnratedSide]:
    """Sides without a review, of deals completed in this time."""
    sides = ((Deal.client_id, Deal.provider_id), (Deal.provider_id, Deal.client_id))
    selects = []
    for mine, other in sides:
        rated = exists().where(Review.deal_id == Deal.id, Review.reviewer_id == mine)
        ended = (Deal.stage == DealStage.COMPLETED) & Deal.completed_at.between(since, until)
        chosen = select(Deal.reference, mine.label("user_id"), other.label("other_id"))
        selects.append(chosen.where(ended, ~rated))
    return fetch_as(UnratedSide, union_all(*selects))


def _seen_by(user_id: int, deal: Any) -> Reviewable:
    mine = deal.client_id == user_id
    return Reviewable(
        deal_id=deal.id,
        reference=deal.reference,
        title=deal.title,
        completed_at=deal.completed_at,
        other_id=deal.provider_id if mine else deal.client_id,
        other_was=WORKER if mine else CLIENT,
    )
