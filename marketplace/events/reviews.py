"""Facts about reviews."""

from dataclasses import dataclass

from marketplace.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWritten(Event):
    """One side of a deal rated the other."""

    review_id: int
    reviewer_id: int
    reviewed_user_id: int
    rating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewChanged(Event):
    """A review was edited within its window."""

    review_id: int
    reviewed_user_id: int
    rating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDeleted(Event):
    """A review was deleted by its writer."""

    review_id: int
    reviewed_user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReplied(Event):
    """Whom a review is about has replied to it for the first time."""

    review_id: int
    reviewer_id: int
    by_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDue(Event):
    """A deal has been over for a few days and this side has not rated it."""

    reference: str
    user_id: int
    other_id: int
