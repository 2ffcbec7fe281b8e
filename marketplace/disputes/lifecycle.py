"""States of a dispute and of a settlement offer, and who moves them."""

from datetime import timedelta
from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, guard, move


class DisputeStatus(StrEnum):
    """`decided` is not final yet: either side may appeal."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    DECIDED = "decided"
    APPEALED = "appealed"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class OfferStatus(StrEnum):
    """States of an offer to settle."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


ANSWER_AFTER = timedelta(days=3)  # as the settings have it unless told otherwise
APPEAL_WITHIN = timedelta(days=3)
GOING_ON = (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW, DisputeStatus.DECIDED, DisputeStatus.APPEALED)
UNDECIDED = (DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW, DisputeStatus.APPEALED)
WAITING_FOR_STAFF = (DisputeStatus.UNDER_REVIEW, DisputeStatus.APPEALED)
SIDES = {"opener", "respondent"}
SYSTEM = frozenset({"system"})

# Staff decide once both sides could speak; what they decide after an appeal is the end of it.
DISPUTE_LIFECYCLE = Lifecycle.table(
    "dispute",
    DisputeStatus.OPEN,
    requests={
        "respond": "POST /api/disputes/{id}/respond",
        "add_evidence": "POST /api/disputes/{id}/evidence",
        "offer": "POST /api/disputes/{id}/offers",
        "decide": "PUT /api/disputes/{id}/resolve",
        "appeal": "POST /api/disputes/{id}/appeal",
        "withdraw": "POST /api/disputes/{id}/withdraw",
    },
    respond=(
        move(DisputeStatus.OPEN, to=DisputeStatus.UNDER_REVIEW, by={"respondent"}),
        guard(DisputeStatus.OPEN, by={"opener"}),
        guard(DisputeStatus.UNDER_REVIEW, DisputeStatus.APPEALED, by=SIDES),
    ),
    lapse=move(DisputeStatus.OPEN, to=DisputeStatus.UNDER_REVIEW, by={"system"}, after=ANSWER_AFTER),
    add_evidence=guard(*UNDECIDED, by=SIDES),
    offer=guard(*GOING_ON, by=SIDES),
    settle=move(*GOING_ON, to=DisputeStatus.RESOLVED, by=SIDES),
    decide=(
        move(DisputeStatus.UNDER_REVIEW, to=DisputeStatus.DECIDED, by={"admin"}),
        move(DisputeStatus.APPEALED, to=DisputeStatus.RESOLVED, by={"admin"}),
    ),
    appeal=move(DisputeStatus.DECIDED, to=DisputeStatus.APPEALED, by=SIDES),
    finish=move(DisputeStatus.DECIDED, to=DisputeStatus.RESOLVED, by={"system"}, after=APPEAL_WITHIN),
    withdraw=move(DisputeStatus.OPEN, DisputeStatus.UNDER_REVIEW, to=DisputeStatus.WITHDRAWN, by={"opener"}),
)

OFFER_LIFECYCLE = Lifecycle.table(
    "settlement offer",
    OfferStatus.OPEN,
    requests={
        "accept": "POST /api/disputes/{dispute_id}/offers/{id}/accept",
        "decline": "POST /api/disputes/{dispute_id}/offers/{id}/decline",
        "withdraw": "DELETE /api/disputes/{dispute_id}/offers/{id}",
    },
    accept=move(OfferStatus.OPEN, to=OfferStatus.ACCEPTED, by={"recipient"}),
    decline=move(OfferStatus.OPEN, to=OfferStatus.DECLINED, by={"recipient"}),
    withdraw=move(OfferStatus.OPEN, to=OfferStatus.WITHDRAWN, by={"author", "system"}),
)
