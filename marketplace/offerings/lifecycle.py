"""States of an offering, and who moves it."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, guard, move


class OfferingStatus(StrEnum):
    """States of an offering; nobody sees `deleted` ones."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"
    DELETED = "deleted"


LIVING = (OfferingStatus.ACTIVE, OfferingStatus.PAUSED, OfferingStatus.CLOSED)
STAFF = {"moderator", "admin"}

OFFERING_LIFECYCLE = Lifecycle.table(
    "offering",
    OfferingStatus.ACTIVE,
    requests={
        "edit": "PUT /api/offerings/{id}",
        "book": "POST /api/offerings/{id}/book",
        "contact": "POST /api/offerings/{id}/contact",
        "pause": "POST /api/offerings/{id}/pause",
        "activate": "POST /api/offerings/{id}/activate",
        "close": "POST /api/offerings/{id}/close",
        "delete": "DELETE /api/offerings/{id}",
    },
    edit=guard(*LIVING, by={"owner"}),
    book=guard(OfferingStatus.ACTIVE, by={"stranger"}),
    contact=guard(OfferingStatus.ACTIVE, by={"stranger"}),
    pause=move(OfferingStatus.ACTIVE, to=OfferingStatus.PAUSED, by={"owner", *STAFF, "system"}),
    activate=move(OfferingStatus.PAUSED, OfferingStatus.CLOSED, to=OfferingStatus.ACTIVE, by={"owner"}),
    close=move(OfferingStatus.ACTIVE, OfferingStatus.PAUSED, to=OfferingStatus.CLOSED, by={"owner", *STAFF}),
    delete=move(*LIVING, to=OfferingStatus.DELETED, by={"owner", *STAFF, "system"}),
)
