"""Facts about offered services."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingPosted(Event):
    """An offering was put up and is visible."""

    offering_id: int
    creator_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingChanged(Event):
    """Fields or status of an offering changed."""

    offering_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingDeleted(Event):
    """An offering was deleted and is visible to nobody."""

    offering_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingBooked(Event):
    """A client booked an offering; `task_id` is the task made of it."""

    offering_id: int
    task_id: int
    client_id: int
    provider_id: int
