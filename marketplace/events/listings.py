"""Facts about classifieds."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPosted(Event):
    """A listing went live."""

    listing_id: int
    seller_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingChanged(Event):
    """Fields or status of a listing changed."""

    listing_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDeleted(Event):
    """A listing is gone for everybody."""

    listing_id: int
