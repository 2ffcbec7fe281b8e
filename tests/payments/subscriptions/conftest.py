"""Somebody who subscribes, a clock, and a provider that can be looked into."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.core.database.db import db
from marketplace.payments.subscriptions import reconciliation
from tests.factories import money
from tests.factories.people import Person

MINE = "/api/subscription"
VISA, DECLINED, ONCE = "pm_card_visa", "pm_card_chargeDeclined", "pm_card_worksOnce"
CHALLENGED = "pm_card_threeDSecure2Required"
PLANS = """
[[plan]]
key = "client-hunter"
name = {en = "Client hunter", lv = "Klientu mednieks", ru = "Охотник"}
amount = {USD = "50", EUR = "49.99"}
interval = "month"
unlocks = ["start_conversations"]
grace_days = 7

[[plan]]
key = "premium"
name = {en = "Premium", lv = "Premium", ru = "Премиум"}
amount = {EUR = "99.95"}
interval = "month"
unlocks = ["featured", "start_conversations"]
grace_days = 0

[[plan]]
key = "yearly"
name = {en = "A year", lv = "Gads", ru = "Год"}
amount = {EUR = "480"}
interval = "year"
unlocks = ["start_conversations"]
grace_days = 7

[[plan]]
key = "old"
name = {en = "Old", lv = "Vecs", ru = "Старый"}
amount = {JPY = "900"}
interval = "month"
unlocks = []
grace_days = 1
offered = false

[[plan]]
key = "badge"
name = {en = "Badge", lv = "Zīme", ru = "Значок"}
amount = {JPY = "900"}
interval = "month"
unlocks = ["featured"]
grace_days = 1
"""


@pytest.fixture
def plans_of_these_tests(app: Flask, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans of these tests alone."""
    file = tmp_path / "plans.toml"
    file.write_text(PLANS, encoding="utf-8")
    monkeypatch.setitem(app.config, "PLANS_FILE", str(file))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands until it is moved; sign in after it."""
    with time_machine.travel(datetime(2031, 1, 31, 10, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def settle(app: Flask) -> Callable[[], None]:
    """Everything that is due, the provider's webhooks and the clock's jobs too."""

    def work() -> None:
        money.work(app)
        for step in (reconciliation.ask_about_open, reconciliation.end_overdue):
            with app.app_context():
                step()
                db.session.remove()
            money.work(app)

    return work


@pytest.fixture
def fake(app: Flask) -> Iterator[Any]:
    """The application's provider, whose faults and cards can be changed."""
    found = money.fake(app)
    yield found
    found.faults.clear()


def subscribe(
    person: Person, plan: str = "client-hunter", method: str | None = VISA, key: str = "", **more: Any
) -> TestResponse:
    """POST /api/subscription with a key of its own, unless said."""
    body = {"plan": plan, "payment_method": method, **more}
    return person.post(MINE, body, headers={"Idempotency-Key": key or secrets.token_hex(8)})


def begun(person: Person, plan: str = "client-hunter", method: str | None = VISA) -> dict[str, Any]:
    """A subscription, as the API answers it."""
    answer = subscribe(person, plan, method)
    assert answer.status_code == 201, answer.json
    return dict(answer.json["subscription"])


def mine(person: Person) -> Any:
    """What GET answers."""
    return person.get(MINE).json["subscription"]


def paid(person: Person) -> list[int]:
    """What was paid, minor units, the latest first."""
    return [one["price_minor"] for one in person.get(f"{MINE}/receipts").json["receipts"]]


def told(person: Person) -> list[str]:
    """What they were told of plans, the first first."""
    news = person.get("/api/notifications").json["notifications"]
    return [one["type"] for one in reversed(news) if one["type"].startswith("plan_")]
