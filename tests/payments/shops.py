"""The providers as a test sees them: the adapter, the server it talks to, and what payers, payees and banks do there.

Another one is added by a class with the methods of `Shop` and a line in `conftest.SHOPS`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from urllib3 import Timeout

from marketplace.payments.providers.paypal.provider import PayPalProvider
from marketplace.payments.providers.provider import PaymentState, Provider, SubscriptionState
from marketplace.payments.providers.stripe.provider import StripeProvider
from tests.servers import paypal as paypal_server
from tests.servers import stripe as stripe_server
from tests.servers.paypal_billing import agree, settle_payout
from tests.servers.paypal_orders import approve
from tests.servers.stripe_billing import half_way, settle
from tests.servers.stripe_moves import onboard, reverse
from tests.servers.waiting import PATIENCE

BACK = "https://shop.test/back"
GIVES_UP_AFTER = 0.2  # seconds, where the provider is slow
GOOD, CHALLENGE, DECLINED, DECLINED_LATER = "good", "challenge", "declined", "declined at capture"
Webhook = tuple[dict[str, str], bytes]


class Shop(Protocol):
    """One provider with everybody around it."""

    name: str
    provider: Provider
    too_old: timedelta
    decimals: dict[str, int]

    def pay(self, state: PaymentState, card: str = GOOD, *, key: str = "pay") -> PaymentState:
        """The payer does all that is needed with a card of that kind; raises Declined."""
        ...

    def challenge(self, state: PaymentState) -> PaymentState:
        """The payer tries and has to do something at `next_url`."""
        ...

    def pass_challenge(self, state: PaymentState) -> None:
        """They did it."""
        ...

    def count(self, what: str) -> int:
        """How many payments, held, refunds, payouts, subscriptions there are at the provider."""
        ...

    def in_mood(self, mood: str) -> Any:
        """Meanwhile the provider is down, busy, slow, reset or loses answers."""
        ...

    def payee(self) -> str:
        """Somebody who can be paid."""
        ...

    def finish_onboarding(self, payee_id: str) -> None:
        """They told the provider who they are."""
        ...

    def payout_arrives(self, payout_id: str) -> None:
        """The bank has it."""
        ...

    def payout_comes_back(self, payout_id: str) -> None:
        """The bank did not want it."""
        ...

    def subscriber_pays(self, state: SubscriptionState) -> None:
        """What is due, at the provider."""
        ...

    def half_a_period_passes(self, state: SubscriptionState) -> None:
        """For what is prorated."""
        ...

    def webhooks(self, *, twice: bool = False, shuffled: bool = False) -> list[Webhook]:
        """Those since the last time."""
        ...

    def sign(self, body: bytes, *, age: timedelta = timedelta()) -> Webhook:
        """Any body, truly signed."""
        ...

    def complaints(self) -> list[str]:
        """What the provider found wrong with our requests."""
        ...

    def requests(self) -> int:
        """How many it was sent."""
        ...

    def with_a_wrong_secret(self) -> Provider:
        """The same, by somebody who has a wrong key."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class Patience(Timeout):
    """How long the adapter waits for an answer: as long as the machine needs, and short while the provider is slow."""

    seconds = PATIENCE

    def clone(self) -> Timeout:
        """What counts for one request."""
        return Timeout(self.seconds)


class _Local:
    """What both local servers share."""

    server: Any

    def __init__(self) -> None:
        self.patience = Patience()

    @contextmanager
    def in_mood(self, mood: str) -> Iterator[None]:
        self.server.mood = mood
        self.patience.seconds = GIVES_UP_AFTER if mood == "slow" else PATIENCE
        try:
            yield
        finally:
            self.server.mood = "well"
            self.patience.seconds = PATIENCE

    def webhooks(self, *, twice: bool = False, shuffled: bool = False) -> list[Webhook]:
        found: list[Webhook] = self.server.deliveries(twice=twice, shuffled=shuffled)
        return found

    def complaints(self) -> list[str]:
        return list(self.server.complaints)

    def requests(self) -> int:
        return len(self.server.server.seen)

    def stop(self) -> None:
        self.server.stop()


class StripeShop(_Local):
    """Stripe's adapter and the local Stripe."""

    name = "stripe"
    too_old = timedelta(seconds=310)
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3, "ISK": 2, "UGX": 2, "MGA": 0, "HUF": 2, "TWD": 2}
    kinds = {"payments": "payment_intent", "held": "charge", "refunds": "refund", "payouts": "transfer"}
    kinds = {**kinds, "subscriptions": "subscription"}
    cards = {
        GOOD: "pm_card_visa",
        CHALLENGE: "pm_card_threeDSecure2Required",
        DECLINED: "pm_card_chargeDeclined",
        DECLINED_LATER: "pm_card_chargeDeclinedAtCapture",
    }

    def __init__(self) -> None:
        super().__init__()
        self.server = stripe_server.Stripe()
        self.provider = self._provider(stripe_server.SECRET_KEY)

    def _provider(self, secret_key: str) -> StripeProvider:
        return StripeProvider(
            secret_key=secret_key,
            publishable_key=stripe_server.PUBLISHABLE_KEY,
            webhook_secret=f"whsec_of_connect, {stripe_server.WEBHOOK_SECRET}",
            api_url=self.server.url,
            return_url=BACK,
            timeout=self.patience,
        )

    def with_a_wrong_secret(self) -> Provider:
        return self._provider("sk_test_wrong_secret")

    def pay(self, state: PaymentState, card: str = GOOD, *, key: str = "pay") -> PaymentState:
        return self.provider.confirm(state.id, method=self.cards[card], key=key)

    def challenge(self, state: PaymentState) -> PaymentState:
        return self.pay(state, CHALLENGE)

    def pass_challenge(self, state: PaymentState) -> None:
        self.server.answer_challenge(state.id)

    def count(self, what: str) -> int:
        return self.server.count(self.kinds[what])

    def payee(self) -> str:
        provider = self.provider
        made = provider.register_payee(payee_id=None, user_id=7, email="bo@shop.test", country="LV", key="payee")
        self.finish_onboarding(made.id)
        return made.id

    def finish_onboarding(self, payee_id: str) -> None:
        onboard(self.server.book, payee_id)

    def payout_arrives(self, payout_id: str) -> None:
        """A transfer is there at once."""

    def payout_comes_back(self, payout_id: str) -> None:
        reverse(self.server.book, payout_id)

    def subscriber_pays(self, state: SubscriptionState) -> None:
        settle(self.server.book, self.server.book.things[state.id]["latest_invoice"])

    def half_a_period_passes(self, state: SubscriptionState) -> None:
        half_way(self.server.book, state.id)

    def sign(self, body: bytes, *, age: timedelta = timedelta()) -> Webhook:
        return stripe_server.sign(body, age=age)


class PayPalShop(_Local):
    """PayPal's adapter and the local PayPal."""

    name = "paypal"
    too_old = timedelta(days=4, minutes=1)
    decimals = {"EUR": 2, "JPY": 0, "HUF": 0, "TWD": 0}
    kinds = {"payments": "order", "held": "authorization", "refunds": "refund", "payouts": "payout"}
    kinds = {**kinds, "subscriptions": "subscription"}

    def __init__(self) -> None:
        super().__init__()
        self.server = paypal_server.PayPal()
        self.provider = self._provider(paypal_server.CLIENT_SECRET)

    def _provider(self, client_secret: str) -> PayPalProvider:
        return PayPalProvider(
            client_id=paypal_server.CLIENT_ID,
            client_secret=client_secret,
            webhook_id=paypal_server.WEBHOOK_ID,
            api_url=self.server.url,
            return_url=BACK,
            timeout=self.patience,
        )

    def with_a_wrong_secret(self) -> Provider:
        return self._provider("wrong_secret")

    def pay(self, state: PaymentState, card: str = GOOD, *, key: str = "pay") -> PaymentState:
        approve(self.server.book, state.id, card)
        return self.provider.confirm(state.id, method=None, key=key)

    def challenge(self, state: PaymentState) -> PaymentState:
        return self.provider.confirm(state.id, method=None, key="too early")

    def pass_challenge(self, state: PaymentState) -> None:
        self.pay(state)

    def count(self, what: str) -> int:
        return self.server.count(self.kinds[what])

    def payee(self) -> str:
        return "bo@shop.test"

    def finish_onboarding(self, payee_id: str) -> None:
        """There is none."""

    def payout_arrives(self, payout_id: str) -> None:
        settle_payout(self.server.book, payout_id)

    def payout_comes_back(self, payout_id: str) -> None:
        settle_payout(self.server.book, payout_id, "RETURNED")

    def subscriber_pays(self, state: SubscriptionState) -> None:
        agree(self.server.book, state.id)

    def half_a_period_passes(self, state: SubscriptionState) -> None:
        """Nothing is prorated."""

    def sign(self, body: bytes, *, age: timedelta = timedelta()) -> Webhook:
        webhook: Webhook = self.server.sign(body, age=age)
        return webhook
