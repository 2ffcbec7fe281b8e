"""Money that is held, earned and on its way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import text

from marketplace.core.database.db import db, fetch
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.registry import providers
from marketplace.payments.webhooks import service as webhooks_service
from tests.factories import things
from tests.factories.people import Person

VISA = "pm_card_visa"
_numbers = count(1)


def key(name: str = "") -> dict[str, Any]:
    """The header of one write of money; a new one each time, unless named."""
    return {"headers": {"Idempotency-Key": name or f"key {next(_numbers)}"}}


def work(app: Flask) -> None:
    """Everything that is due, the provider's webhooks too."""
    with app.app_context():
        while sum((relay(), provider_requests_handlers.call_due(), webhooks_service.read_due(), jobs.run_due())):
            pass
        db.session.remove()


def clockwork(app: Flask, job: Callable[[Any], None]) -> None:
    """A job of the clock, now."""
    with app.app_context():
        job(None)
        db.session.remove()


def fake(app: Flask) -> FakeProvider:
    """The provider that takes no money."""
    with app.app_context():
        found = providers()["fake"]
    assert isinstance(found, FakeProvider)
    return found


def later(app: Flask) -> None:
    """The same, once the pauses after a failure are over."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        work(app)


def price(owner: Person, task_id: int) -> dict[str, Any]:
    """What its owner sees that a task costs."""
    task = owner.get(f"/api/tasks/{task_id}").json
    return {"price": task["agreed_price"] or task["budget"], "currency": task["currency"]}


def pay(owner: Person, task_id: int, method: str = VISA) -> dict[str, Any]:
    """The payment of a task, tried by this card."""
    answer = owner.post(
        "/api/payments", {"task_id": task_id, **price(owner, task_id), "payment_method": method}, **key()
    )
    assert answer.status_code == 201, answer.json
    return dict(answer.json["payment"])


def paid_task(owner: Person, worker: Person, **fields: Any) -> dict[str, Any]:
    """An assigned task whose money is held; its payment is `paid`."""
    task = things.assigned_task(owner, worker, payment="escrow", **fields)
    return {**task, "paid": pay(owner, task["id"])}


def finished_task(owner: Person, worker: Person, **fields: Any) -> dict[str, Any]:
    """A paid task lived to its end: the worker has the money."""
    task = paid_task(owner, worker, **fields)
    for person, verb in ((worker, "start"), (worker, "done"), (owner, "confirm")):
        assert person.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
    return task


def dispute(app: Flask, payment_id: int) -> int:
    """The payer's bank takes a payment back for now; the chargeback."""
    with app.app_context():
        name = fetch(text("SELECT provider_id FROM payments WHERE id = :id"), {"id": payment_id})[0].provider_id
        fake(app).dispute(name)
        db.session.remove()
    work(app)
    with app.app_context():
        found = fetch(text("SELECT id FROM chargebacks WHERE payment_id = :id"), {"id": payment_id})
        db.session.remove()
    return int(found[-1].id)


def invoice(app: Flask, person: Person) -> int:
    """What somebody paid for their plan last."""
    with app.app_context():
        found = fetch(text("SELECT MAX(id) AS id FROM subscription_invoices WHERE user_id = :id"), {"id": person.id})
        db.session.remove()
    return int(found[0].id)


def waiting_refund(app: Flask, payee: Person, payment_id: int) -> int:
    """A refund of one that the provider could not be asked for yet; its id."""
    fake(app).faults.append(("refund", "down"))
    answer = payee.post(f"/api/payments/{payment_id}/refund", {"amount": 10}, **key())
    assert answer.status_code == 200, answer.json
    work(app)
    return int(answer.json["payment"]["refunds"][0]["id"])


def onboard(person: Person, country: str = "LV") -> None:
    """They can be paid out."""
    answer = person.post("/api/payouts/onboarding", {"country": country})
    assert (answer.status_code, answer.json["ready"]) == (200, True), answer.json


def payout(person: Person, amount: float, currency: str = "EUR") -> dict[str, Any]:
    """A payout that was asked for."""
    answer = person.post("/api/payouts", {"amount": amount, "currency": currency}, **key())
    assert answer.status_code == 201, answer.json
    return dict(answer.json["payout"])


def balances(person: Person) -> dict[str, tuple[int, int, int]]:
    """By currency, in minor units: available, held, pending."""
    found = person.get("/api/wallet").json["balances"]
    return {one["currency"]: (one["available_minor"], one["held_minor"], one["pending_minor"]) for one in found}
