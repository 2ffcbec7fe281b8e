"""The fake provider with everybody around it, so that it is held to what the real ones are held to."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, select, update

from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.payments.providers.fake.book import NOTICES, THINGS
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.provider import Paid, PaymentState, ProviderStatus, SubscriptionState
from tests.payments.shops import CHALLENGE, DECLINED, DECLINED_LATER, GOOD, Webhook

HALF = timedelta(days=15)
HELD = (ProviderStatus.AUTHORIZED.value, ProviderStatus.CAPTURED.value)


class Always(list[tuple[str, str]]):
    """A fault of every method, for as long as it is there."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(Anything(), self.fault)])

    def remove(self, _: tuple[str, str]) -> None:
        """It stays."""


class Anything(str):
    """Every method's name."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = str.__hash__


class Counting(FakeProvider):
    """How often it was asked."""

    asked = 0

    def _do(self, method: str, work: Callable[[], Any]) -> Any:
        self.asked += 1
        return super()._do(method, work)


class FakeShop:
    """In a database of the tests; what it wrote is taken out at the end."""

    name = "fake"
    too_old = timedelta(seconds=310)
    decimals = {"EUR": 2, "JPY": 0, "KWD": 3, "ISK": 0, "UGX": 0, "MGA": 2, "HUF": 2, "TWD": 2}
    kinds = {"payments": "payment", "refunds": "refund", "payouts": "payout", "subscriptions": "subscription"}
    cards = {
        GOOD: "pm_card_visa",
        CHALLENGE: "pm_card_threeDSecure2Required",
        DECLINED: "pm_card_chargeDeclined",
        DECLINED_LATER: "pm_card_captureDeclined",
    }

    def __init__(self, app: Flask) -> None:
        self.context = app.app_context()
        self.context.push()
        self.provider = Counting("secret", "https://shop.test")
        self.told = 0

    def pay(self, state: PaymentState, card: str = GOOD, *, key: str = "pay") -> PaymentState:
        return self.provider.confirm(state.id, method=self.cards[card], key=key)

    def challenge(self, state: PaymentState) -> PaymentState:
        return self.pay(state, CHALLENGE)

    def pass_challenge(self, state: PaymentState) -> None:
        self.provider.confirm(state.id, method=None, key="passed")

    def count(self, what: str) -> int:
        if what == "held":
            rows = fetch(select(THINGS.c.data).where(THINGS.c.kind == "payment"))
            return sum(row.data["status"] in HELD for row in rows)
        return int(fetch(select(func.count()).where(THINGS.c.kind == self.kinds[what]))[0][0])

    @contextmanager
    def in_mood(self, mood: str) -> Iterator[None]:
        self.provider.faults = Always("answer lost" if mood == "answer lost" else "down")
        try:
            yield
        finally:
            self.provider.faults = []

    def payee(self) -> str:
        who = {"user_id": 7, "email": "bo@shop.test", "country": "LV"}
        return self.provider.register_payee(payee_id=None, key="payee", **who).id

    def finish_onboarding(self, payee_id: str) -> None:
        """There is nothing to tell."""

    def payout_arrives(self, payout_id: str) -> None:
        """It did."""

    def payout_comes_back(self, payout_id: str) -> None:
        self.provider.return_payout(payout_id)

    def subscriber_pays(self, state: SubscriptionState) -> None:
        self.provider.give_card(state.id, "pm_card_visa")
        if self.provider.fetch_subscription(state.id).status is Paid.INCOMPLETE:
            self.provider.pass_challenge(state.id)

    def half_a_period_passes(self, state: SubscriptionState) -> None:
        """As if this were the middle of thirty days."""
        data = dict(fetch(select(THINGS.c.data).where(THINGS.c.name == state.id))[0].data)
        middle = datetime.now(UTC) + timedelta(minutes=1)  # the day that has begun counts as over
        data |= {"period_start": (middle - HALF).isoformat(), "period_end": (middle + HALF).isoformat()}
        in_transaction(lambda: execute(update(THINGS).where(THINGS.c.name == state.id).values(data=data)))

    def webhooks(self, *, twice: bool = False, shuffled: bool = False) -> list[Webhook]:
        rows = fetch(select(NOTICES.table).where(NOTICES.table.c.id > self.told).order_by(NOTICES.table.c.id))
        self.told = max([self.told, *(row.id for row in rows)])
        found = [self.sign(self.provider.body_of(row)) for row in rows] * (2 if twice else 1)
        if shuffled:
            random.Random(7).shuffle(found)
        return found

    def sign(self, body: bytes, *, age: timedelta = timedelta()) -> Webhook:
        return self.provider.signed(body, time.time() - age.total_seconds()), body

    def requests(self) -> int:
        return self.provider.asked

    def complaints(self) -> list[str]:
        return []

    def stop(self) -> None:
        """Out of the database again."""

        def clear() -> None:
            for name in ("fake_things", "fake_lines", "fake_notices"):
                execute(delete(Base.metadata.tables[name]))

        in_transaction(clear)
        db.session.remove()
        self.context.pop()
