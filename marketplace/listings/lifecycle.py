"""The states of a classified and who moves it between them."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, guard, move


class ListingStatus(StrEnum):
    """States of a listing; nobody sees `deleted` ones."""

    ACTIVE = "active"
    PENDING = "pending"
    SOLD = "sold"
    ARCHIVED = "archived"
    DELETED = "deleted"


LIVING = (ListingStatus.ACTIVE, ListingStatus.PENDING, ListingStatus.SOLD, ListingStatus.ARCHIVED)

LISTING_LIFECYCLE = Lifecycle.table(
    "listing",
    ListingStatus.ACTIVE,
    requests={
        "edit": "PUT /api/listings/{id}",
        "hold": "POST /api/listings/{id}/hold",
        "sell": "POST /api/listings/{id}/sell",
        "archive": "POST /api/listings/{id}/archive",
        "activate": "POST /api/listings/{id}/activate",
        "renew": "POST /api/listings/{id}/renew",
        "delete": "DELETE /api/listings/{id}",
    },
    edit=guard(*LIVING, by={"owner"}),
    hold=move(ListingStatus.ACTIVE, to=ListingStatus.PENDING, by={"owner"}),
    sell=move(ListingStatus.ACTIVE, ListingStatus.PENDING, to=ListingStatus.SOLD, by={"owner"}),
    archive=move(
        ListingStatus.ACTIVE,
        ListingStatus.PENDING,
        ListingStatus.SOLD,
        to=ListingStatus.ARCHIVED,
        by={"owner", "moderator", "admin"},
    ),
    expire=move(ListingStatus.ACTIVE, ListingStatus.PENDING, to=ListingStatus.ARCHIVED, by={"system"}),
    take_down=move(ListingStatus.ACTIVE, ListingStatus.PENDING, to=ListingStatus.ARCHIVED, by={"system"}),
    activate=move(
        ListingStatus.PENDING, ListingStatus.SOLD, ListingStatus.ARCHIVED, to=ListingStatus.ACTIVE, by={"owner"}
    ),
    renew=(
        move(ListingStatus.ARCHIVED, to=ListingStatus.ACTIVE, by={"owner"}),
        guard(ListingStatus.ACTIVE, ListingStatus.PENDING, by={"owner"}),
    ),
    delete=move(*LIVING, to=ListingStatus.DELETED, by={"owner", "moderator", "admin", "system"}),
)
