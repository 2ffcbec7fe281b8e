"""Facts about offered services."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingPosted(Event):
    """An offering went live."""

    offering_id: int
    creator_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingChanged(Event):
    """Fields or status of an offering changed."""

    offering_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingDeleted(Event):
    """An offering is gone for everybody."""

    offering_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingBooked(Event):
    """An offering became a task for its provider."""

    offering_id: int
    task_id: int
    client_id: int
    provider_id: int
