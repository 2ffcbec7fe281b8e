"""The states of a subscription, and who moves it: what the provider says does."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class S(StrEnum):
    """CREATED: the provider has not answered yet. PAST_DUE: a renewal was declined, and the benefits stay a while."""

    CREATED = "created"
    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"


UNPAID = (S.CREATED, S.INCOMPLETE)
RUNNING = (S.ACTIVE, S.PAST_DUE)
SYSTEM = frozenset({"system"})

SUBSCRIPTION_LIFECYCLE = Lifecycle.table(
    "subscription",
    S.CREATED,
    wait=move(S.CREATED, to=S.INCOMPLETE, by={"system"}),
    activate=move(*UNPAID, to=S.ACTIVE, by={"system"}),
    fall_behind=move(*UNPAID, S.ACTIVE, to=S.PAST_DUE, by={"system"}),
    recover=move(S.PAST_DUE, to=S.ACTIVE, by={"system"}),
    end=move(*UNPAID, *RUNNING, to=S.ENDED, by={"system"}),
)
