"""The states of an offered service."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, deed, move


class S(StrEnum):
    """An offering's states; `deleted` is seen by nobody."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"
    DELETED = "deleted"


LIVING = (S.ACTIVE, S.PAUSED, S.CLOSED)
STAFF = {"moderator", "admin"}

OFFERING_LIFECYCLE = Lifecycle.table(
    "offering",
    S.ACTIVE,
    requests={
        "edit": "PUT /api/offerings/{id}",
        "book": "POST /api/offerings/{id}/book",
        "contact": "POST /api/offerings/{id}/contact",
        "pause": "POST /api/offerings/{id}/pause",
        "activate": "POST /api/offerings/{id}/activate",
        "close": "POST /api/offerings/{id}/close",
        "delete": "DELETE /api/offerings/{id}",
    },
    edit=deed(*LIVING, by={"owner"}),
    book=deed(S.ACTIVE, by={"stranger"}),
    contact=deed(S.ACTIVE, by={"stranger"}),
    pause=move(S.ACTIVE, to=S.PAUSED, by={"owner", *STAFF, "system"}),
    activate=move(S.PAUSED, S.CLOSED, to=S.ACTIVE, by={"owner"}),
    close=move(S.ACTIVE, S.PAUSED, to=S.CLOSED, by={"owner", *STAFF}),
    delete=move(*LIVING, to=S.DELETED, by={"owner", *STAFF, "system"}),
)
