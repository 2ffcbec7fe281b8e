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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingExpiring(Event):
    """It will be off the list in a few days; `expires_at` is ISO 8601."""

    listing_id: int
    seller_id: int
    expires_at: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingExpired(Event):
    """Its time was over."""

    listing_id: int
    seller_id: int
    expires_at: str
