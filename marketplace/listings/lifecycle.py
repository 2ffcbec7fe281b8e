"""The states of a classified and who moves it between them."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, deed, move


class S(StrEnum):
    """A listing's states; `deleted` is seen by nobody."""

    ACTIVE = "active"
    PENDING = "pending"
    SOLD = "sold"
    ARCHIVED = "archived"
    DELETED = "deleted"


LIVING = (S.ACTIVE, S.PENDING, S.SOLD, S.ARCHIVED)

LISTING_LIFECYCLE = Lifecycle.table(
    "listing",
    S.ACTIVE,
    requests={
        "edit": "PUT /api/listings/{id}",
        "hold": "POST /api/listings/{id}/hold",
        "sell": "POST /api/listings/{id}/sell",
        "archive": "POST /api/listings/{id}/archive",
        "activate": "POST /api/listings/{id}/activate",
        "renew": "POST /api/listings/{id}/renew",
        "delete": "DELETE /api/listings/{id}",
    },
    edit=deed(*LIVING, by={"owner"}),
    hold=move(S.ACTIVE, to=S.PENDING, by={"owner"}),
    sell=move(S.ACTIVE, S.PENDING, to=S.SOLD, by={"owner"}),
    archive=move(S.ACTIVE, S.PENDING, S.SOLD, to=S.ARCHIVED, by={"owner", "moderator", "admin"}),
    expire=move(S.ACTIVE, S.PENDING, to=S.ARCHIVED, by={"system"}),
    take_down=move(S.ACTIVE, S.PENDING, to=S.ARCHIVED, by={"system"}),
    activate=move(S.PENDING, S.SOLD, S.ARCHIVED, to=S.ACTIVE, by={"owner"}),
    renew=(
        move(S.ARCHIVED, to=S.ACTIVE, by={"owner"}),
        deed(S.ACTIVE, S.PENDING, by={"owner"}),
    ),
    delete=move(*LIVING, to=S.DELETED, by={"owner", "moderator", "admin", "system"}),
)
