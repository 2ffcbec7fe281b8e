"""The states of a dispute and of an offer to settle it, and who moves them."""

from datetime import timedelta
from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, deed, move


class S(StrEnum):
    """`decided` is not final yet: either side may appeal."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    DECIDED = "decided"
    APPEALED = "appealed"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class OF(StrEnum):
    """An offer's states."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


ANSWER_AFTER = timedelta(days=3)  # as the settings have it unless told otherwise
APPEAL_WITHIN = timedelta(days=3)
GOING_ON = (S.OPEN, S.UNDER_REVIEW, S.DECIDED, S.APPEALED)
UNDECIDED = (S.OPEN, S.UNDER_REVIEW, S.APPEALED)
WAITING_FOR_STAFF = (S.UNDER_REVIEW, S.APPEALED)
SIDES = {"opener", "respondent"}
SYSTEM = frozenset({"system"})

# Staff decide once both sides could speak; what they decide after an appeal is the end of it.
DISPUTE_LIFECYCLE = Lifecycle.table(
    "dispute",
    S.OPEN,
    requests={
        "respond": "POST /api/disputes/{id}/respond",
        "add_evidence": "POST /api/disputes/{id}/evidence",
        "offer": "POST /api/disputes/{id}/offers",
        "decide": "PUT /api/disputes/{id}/resolve",
        "appeal": "POST /api/disputes/{id}/appeal",
        "withdraw": "POST /api/disputes/{id}/withdraw",
    },
    respond=(
        move(S.OPEN, to=S.UNDER_REVIEW, by={"respondent"}),
        deed(S.OPEN, by={"opener"}),
        deed(S.UNDER_REVIEW, S.APPEALED, by=SIDES),
    ),
    lapse=move(S.OPEN, to=S.UNDER_REVIEW, by={"system"}, after=ANSWER_AFTER),
    add_evidence=deed(*UNDECIDED, by=SIDES),
    offer=deed(*GOING_ON, by=SIDES),
    settle=move(*GOING_ON, to=S.RESOLVED, by=SIDES),
    decide=(
        move(S.UNDER_REVIEW, to=S.DECIDED, by={"admin"}),
        move(S.APPEALED, to=S.RESOLVED, by={"admin"}),
    ),
    appeal=move(S.DECIDED, to=S.APPEALED, by=SIDES),
    finish=move(S.DECIDED, to=S.RESOLVED, by={"system"}, after=APPEAL_WITHIN),
    withdraw=move(S.OPEN, S.UNDER_REVIEW, to=S.WITHDRAWN, by={"opener"}),
)

OFFER_LIFECYCLE = Lifecycle.table(
    "settlement offer",
    OF.OPEN,
    requests={
        "accept": "POST /api/disputes/{dispute_id}/offers/{id}/accept",
        "decline": "POST /api/disputes/{dispute_id}/offers/{id}/decline",
        "withdraw": "DELETE /api/disputes/{dispute_id}/offers/{id}",
    },
    accept=move(OF.OPEN, to=OF.ACCEPTED, by={"recipient"}),
    decline=move(OF.OPEN, to=OF.DECLINED, by={"recipient"}),
    withdraw=move(OF.OPEN, to=OF.WITHDRAWN, by={"author", "system"}),
)
