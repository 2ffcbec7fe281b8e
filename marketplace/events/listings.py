"""Facts about classifieds."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPosted(Event):
    """A listing was put up and is visible."""

    listing_id: int
    seller_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingChanged(Event):
    """Fields or status of a listing changed."""

    listing_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDeleted(Event):
    """A listing was deleted and is visible to nobody."""

    listing_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingExpiring(Event):
    """A listing will run out in `days`; `expires_at` is ISO 8601."""

    listing_id: int
    seller_id: int
    expires_at: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingExpired(Event):
    """A listing ran out and is off the list; `expires_at` is ISO 8601."""

    listing_id: int
    seller_id: int
    expires_at: str
