"""The fake provider's subscriptions."""

from marketplace.payments.gateways.fake_book import FakeBook
from marketplace.payments.gateways.provider import PlanTerms, SubscriptionState


class FakeSubscriptions(FakeBook):
    """Begins, renews by the clock, changes and ends them."""

    def subscribe(
        self, *, terms: PlanTerms, customer_id: str | None, user_id: int, email: str, method: str | None, key: str
    ) -> SubscriptionState:
        """Paid at once by a test card that works."""
        raise NotImplementedError

    def change_plan(self, subscription_id: str, *, terms: PlanTerms, key: str) -> SubscriptionState:
        """Prorated by the day."""
        raise NotImplementedError

    def end_subscription(self, subscription_id: str, *, at_once: bool, key: str) -> SubscriptionState:
        """At the end of the period, or now."""
        raise NotImplementedError

    def fetch_subscription(self, subscription_id: str) -> SubscriptionState:
        """Raises Unknown."""
        raise NotImplementedError

    def find_subscription(self, key: str) -> SubscriptionState | None:
        """By the key it was begun with."""
        raise NotImplementedError
