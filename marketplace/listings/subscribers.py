"""What listings do when an account is closed or a plan begins and ends; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.events.auth import AccountSuspended
from marketplace.events.subscriptions import PlanChanged, SubscriptionEnded, SubscriptionRenewed, SubscriptionStarted
from marketplace.listings import service


@subscribe(AccountSuspended)
def take_down(event: AccountSuspended) -> None:
    """Nothing of a suspended account is on offer."""
    service.take_down_of(event.user_id)


@subscribe(SubscriptionStarted)
def feature(event: SubscriptionStarted) -> None:
    """The plan may hold it."""
    service.feature_as_paid(event.user_id)


@subscribe(PlanChanged)
def feature_anew(event: PlanChanged) -> None:
    """One plan holds it, another does not."""
    service.feature_as_paid(event.user_id)


@subscribe(SubscriptionRenewed)
def feature_again(event: SubscriptionRenewed) -> None:
    """What was imported since, or what plans hold since then."""
    service.feature_as_paid(event.user_id)


@subscribe(SubscriptionEnded)
def feature_no_more(event: SubscriptionEnded) -> None:
    """What was paid for is over."""
    service.feature_as_paid(event.user_id)
