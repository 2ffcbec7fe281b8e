"""Listings listen to accounts and subscriptions; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.events.subscriptions import PlanChanged, SubscriptionEnded, SubscriptionRenewed, SubscriptionStarted
from marketplace.listings import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Archive a suspended seller's listings."""
    service.take_down_of(event.user_id)


@subscribe(SubscriptionStarted)
def feature(event: SubscriptionStarted) -> None:
    """The plan may include it."""
    service.feature_as_paid(event.user_id)


@subscribe(PlanChanged)
def feature_anew(event: PlanChanged) -> None:
    """The new plan may include it, or not."""
    service.feature_as_paid(event.user_id)


@subscribe(SubscriptionRenewed)
def feature_again(event: SubscriptionRenewed) -> None:
    """For listings imported since, and for plans whose benefits have changed."""
    service.feature_as_paid(event.user_id)


@subscribe(SubscriptionEnded)
def feature_no_more(event: SubscriptionEnded) -> None:
    """The benefits have ended."""
    service.feature_as_paid(event.user_id)
