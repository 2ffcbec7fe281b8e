"""States of a subscription; what the provider says moves it."""

from enum import StrEnum

from marketplace.kit.lifecycle import Lifecycle, move


class SubscriptionStatus(StrEnum):
    """CREATED: the provider has not answered yet. PAST_DUE: a renewal was declined, and the benefits stay a while."""

    CREATED = "created"
    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"


UNPAID = (SubscriptionStatus.CREATED, SubscriptionStatus.INCOMPLETE)
RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
SYSTEM = frozenset({"system"})

SUBSCRIPTION_LIFECYCLE = Lifecycle.table(
    "subscription",
    SubscriptionStatus.CREATED,
    wait=move(SubscriptionStatus.CREATED, to=SubscriptionStatus.INCOMPLETE, by={"system"}),
    activate=move(*UNPAID, to=SubscriptionStatus.ACTIVE, by={"system"}),
    fall_behind=move(*UNPAID, SubscriptionStatus.ACTIVE, to=SubscriptionStatus.PAST_DUE, by={"system"}),
    recover=move(SubscriptionStatus.PAST_DUE, to=SubscriptionStatus.ACTIVE, by={"system"}),
    end=move(*UNPAID, *RUNNING, to=SubscriptionStatus.ENDED, by={"system"}),
)
