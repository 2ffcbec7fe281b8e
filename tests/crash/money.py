"""The application takes, holds, releases, gives back and pays out money, and dies each time one step later.

Run as a process of its own, as `lives` is. A step is a commit, or a call to the payment provider (its beginning and
its end). The provider commits its own book, so what it did is done whoever dies.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

import config
from marketplace.app import create_app
from marketplace.cli.audit import findings
from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.core.queues.outbox import relay
from marketplace.core.queues.work_queue import QUEUES
from marketplace.kit.clock import now
from marketplace.payments import service as payments
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.fake import book as fake_book
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.service import Purchase
from marketplace.payments.webhooks import service as webhooks_service
from tests.crash.lives import DIED, FINISHED, OPEN, TASK, Steps, _person, in_a_child
from tests.factories.people import Person

MOST_STEPS = 1000
CALLS = ("create", "confirm", "capture", "cancel", "refund", "pay_out", "register_payee")
WAITING = ("provider_calls", "provider_events", "fake_notices", "outbox")
CARD = {"payment_method": "pm_card_visa"}
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
Work = Callable[[Flask], None]


class Repeated(Exception):
    """The same key was refused."""


def die_at(step: int) -> None:
    """Hook in."""
    steps = Steps(step)
    event.listen(Engine, "commit", steps.take)
    for name in CALLS:
        steps.around(FakeProvider, name)


def prepare(app: Flask, number: int) -> tuple[Person, Person, list[tuple[int, int]]]:
    """Two people and three tasks that wait to be given to one of them."""
    owner, helper = _person(app, f"payer_{number}"), _person(app, f"payee_{number}")
    tasks = []
    for place in range(3):
        body = {**TASK, "payment": "escrow", "budget": 40}
        task = send(owner, "/api/tasks", f"task {place}", body)["task"]["id"]
        application = send(helper, f"/api/tasks/{task}/apply", f"apply {place}", {"message": "I can."})["application"]
        tasks.append((task, application["id"]))
    return owner, helper, tasks


def story(app: Flask, owner: Person, helper: Person, tasks: list[tuple[int, int]], work: Work) -> None:
    """What people do; whoever was not answered asks again with the same key."""
    (task, application), later, off = tasks
    send(owner, f"/api/tasks/{task}/applications/{application}/accept", "accept", {**CARD, "price": 40})
    work(app)
    for person, verb in ((helper, "start"), (helper, "done"), (owner, "confirm")):
        send(person, f"/api/tasks/{task}/{verb}", verb)
    paid = newest(owner, task)
    send(helper, f"/api/payments/{paid}/refund", "back", {"amount": 10})
    work(app)
    helper.post("/api/payouts/onboarding", {"country": "LV"})
    send(helper, "/api/payouts", "out", {"amount": 27, "currency": "EUR"})
    work(app)
    send(owner, f"/api/tasks/{later[0]}/applications/{later[1]}/accept", "accept", {**CARD, "price": 40})
    pay_again(owner, later[0])
    send(owner, f"/api/tasks/{later[0]}/cancel", "cancel")
    work(app)
    send(owner, f"/api/tasks/{off[0]}/applications/{off[1]}/accept", "accept", {"price": 40})
    send(owner, f"/api/tasks/{off[0]}/cancel", "cancel")
    work(app)
    buy_together(app, owner, helper, work)
    send(helper, "/api/payouts", "out of the cart", {"amount": 36, "currency": "EUR"})
    work(app)


def buy_together(app: Flask, owner: Person, helper: Person, work: Work) -> None:
    """One payment for three deals, of which the middle one is called off; who comes back goes on where it stands."""
    name = f"cart of {owner.id}"
    parts = [
        Purchase(
            reference=f"part:{owner.id}-{place}",
            title="Thing",
            payer_id=owner.id,
            payee_id=helper.id,
            price_minor=1000 * place,
            currency="EUR",
            category="other",
        )
        for place in (1, 2, 3)
    ]
    begin = partial(payments.begin_together, name, "Things", parts, method=CARD["payment_method"])
    first, second, third = (part.reference for part in parts)
    _inside(app, lambda: fetch(text("SELECT 1 FROM payments WHERE reference = :name"), {"name": name}) or begin())
    work(app)
    _inside(app, lambda: payments.release(first))
    _inside(app, lambda: payments.call_off(second))
    _inside(app, lambda: payments.release(third))
    work(app)


def _inside(app: Flask, verb: Callable[[], object]) -> None:
    """In a transaction of its own."""
    with app.app_context():
        in_transaction(verb)
        db.session.remove()


def send(person: Person, path: str, key: str, body: dict[str, Any] | None = None) -> Any:
    """A write under a key; answered, whoever died meanwhile."""
    answer = person.post(path, json=body or {}, headers={"Idempotency-Key": key})
    if answer.status_code not in {200, 201}:
        raise Repeated(f"{path} {key}: {answer.status_code} {answer.json}")
    return answer.json


def pay_again(owner: Person, task: int) -> None:
    """The owner, in a hurry, pays for what is being paid already; the provider is asked at once."""
    answer = owner.post(
        "/api/payments", {"task_id": task, "price": 40, **CARD}, headers={"Idempotency-Key": f"pay {task}"}
    )
    over = answer.status_code == 409 and answer.json["code"] in {"paid_already", "wrong_state"}
    assert answer.status_code == 201 or over, answer.json


def newest(person: Person, task: int) -> int:
    """The payment of a task."""
    return int(person.get(f"/api/payments?task_id={task}").json["payments"][0]["id"])


def work_off(app: Flask) -> None:
    """Everything that is due."""
    with app.app_context():
        while sum((relay(), provider_requests_handlers.call_due(), webhooks_service.read_due())):
            pass
        db.session.remove()


def recover(app: Flask, number: int) -> dict[str, Any]:
    """Ask again, let the leases pass, work; then say how it looks."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        people = prepare(app, number)
        story(app, *people, work_off)
    for hours in (1, 3):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
            work_off(app)
    with app.app_context():
        found = {
            "findings": [*findings(), *map(str, reconciliation_service.compare(BEGINNING, now() + timedelta(days=1)))],
            "left": {f"{name} {state}": QUEUES[name].count(state) for name in WAITING for state in OPEN},
            "moved": moved(people[0].id, people[1].id),
            "unknown": [row[0] for row in fetch(UNKNOWN)],
            "keys": [row[0] for row in fetch(text("SELECT key FROM idempotency_keys WHERE leased_until IS NOT NULL"))],
        }
        db.session.remove()
        helper = _person(app, f"payee_{number}")  # the other token is one of the future
        return {**found, "wallet": helper.get("/api/wallet").json["balances"][0]["available_minor"]}


UNKNOWN = text(
    """SELECT f.name FROM fake_things f LEFT JOIN payments p ON p.key = f.key LEFT JOIN refunds r ON r.key = f.key
    LEFT JOIN payouts o ON o.key = f.key WHERE f.kind IN ('payment', 'refund', 'payout')
    AND p.id IS NULL AND r.id IS NULL AND o.id IS NULL"""
)
FIRST = "SELECT id FROM payments WHERE payer_id = :payer ORDER BY id LIMIT 1"
MOVED = {
    "charges": f"SELECT COUNT(*) FROM fake_lines f JOIN payments p ON p.key = f.key WHERE p.id = ({FIRST})",
    "refunds": f"""SELECT COUNT(*) FROM fake_lines f JOIN refunds r ON r.key = f.key
    WHERE r.payment_id = ({FIRST}) AND f.amount_minor = 1000""",
    "payouts": "SELECT COUNT(*) FROM fake_lines f JOIN payouts o ON o.key = f.key WHERE o.user_id = :payee",
    "releases": """SELECT COUNT(*) FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.credit_id
    WHERE t.kind = 'release' AND a.owner_id = :payee""",
    "clawbacks": """SELECT COUNT(*) FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.debit_id
    WHERE t.kind = 'clawback' AND a.owner_id = :payee""",
    "payments": "SELECT COUNT(*) FROM payments WHERE payer_id = :payer",
    "payees": """SELECT COUNT(*) FROM fake_things f JOIN payees p ON p.provider_id = f.name
    WHERE f.kind = 'payee' AND p.user_id = :payee""",
    "receipts": f"SELECT COUNT(*) FROM receipts WHERE payment_id = ({FIRST})",
    "not over": """SELECT COUNT(*) FROM payments WHERE payer_id = :payer
    AND status NOT IN ('released', 'refunded', 'cancelled')""",
    "kept": "SELECT COALESCE(SUM(captured_minor - refunded_minor), 0) FROM payments WHERE payer_id = :payer",
}


def moved(payer: int, payee: int) -> dict[str, int]:
    """How often what happened to this life's money."""
    sides = {"payer": payer, "payee": payee}
    return {
        what: int(fetch(text(sql), {key: value for key, value in sides.items() if f":{key}" in sql})[0][0])
        for what, sql in MOVED.items()
    }


def main(every: int) -> None:
    """One line of JSON for each death, until a life comes to its end."""
    if "KEYS_FORGOTTEN" in os.environ:
        fake_book.REMEMBERED = timedelta(0)
    settings = config.load({**os.environ, "MARKETPLACE_ENV": "testing", "RATE_LIMITS": "0"})
    app = create_app(settings)
    story(app, *prepare(app, 0), work_off)  # what is read and compiled once is inherited, connections are not
    with app.app_context():
        db.session.remove()
        db.engine.dispose()

    def live(step: int) -> None:
        people = prepare(app, step)
        die_at(step)
        story(app, *people, work_off)

    for step in range(1, MOST_STEPS, every):
        code, _ = in_a_child(lambda step=step: live(step))
        if code not in {DIED, FINISHED}:
            sys.exit(f"step {step}: the story itself broke")
        if code == FINISHED:
            break
        code, said = in_a_child(lambda step=step: recover(app, step))
        print(json.dumps({"step": step, "recovered": code == FINISHED, **(said or {})}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
