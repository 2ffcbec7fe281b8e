"""Facts about disputes."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(Event):
    """A dispute was opened about a deal; the other side is told by TaskDisputed."""

    dispute_id: int
    reference: str
    by_id: int
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeAnswered(Event):
    """A side wrote a statement in a dispute."""

    dispute_id: int
    reference: str
    statement_id: int
    by_id: int
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade(Event):
    """A side offers to settle; without an amount nothing is held."""

    offer_id: int
    dispute_id: int
    reference: str
    by_id: int
    other_id: int
    outcome: str
    to_worker_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined(Event):
    """The other side declined an offer to settle."""

    offer_id: int
    dispute_id: int
    reference: str
    by_id: int
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeDecided(Event):
    """Staff have decided; it becomes final unless a side appeals."""

    dispute_id: int
    reference: str
    opened_by_id: int
    against_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeAppealed(Event):
    """A side does not accept the decision; staff decide once more, for good."""

    dispute_id: int
    reference: str
    by_id: int
    other_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeResolved(Event):
    """It is over and the money has moved; `outcome`: the task is completed, cancelled, or the dispute withdrawn."""

    dispute_id: int
    reference: str
    opened_by_id: int
    against_id: int
    outcome: str
