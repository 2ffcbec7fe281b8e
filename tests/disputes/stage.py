"""What a dispute is about, made when a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.core import jobs
from marketplace.core.db import db
from marketplace.core.outbox import relay
from marketplace.disputes.jobs import advance_disputes
from marketplace.payments import calling, inbox
from tests.factories import things
from tests.factories.people import PASSWORD, Person

VISA = "pm_card_visa"
PATH = "/api/disputes"
SAID = {"reason": "work_quality", "description": "The shelf is crooked."}
_numbers = count()


def key(name: str = "") -> dict[str, Any]:
    """A header that says which money request this is; a new one unless named."""
    return {"headers": {"Idempotency-Key": name or f"key {next(_numbers)}"}}


def running_task(owner: Person, worker: Person, **fields: Any) -> int:
    """A task in progress, paid outside."""
    task = int(things.assigned_task(owner, worker, **fields)["id"])
    assert worker.post(f"/api/tasks/{task}/start").status_code == 200
    return task


def paid_task(owner: Person, worker: Person, **fields: Any) -> int:
    """A task in progress whose money is held."""
    task = int(things.assigned_task(owner, worker, payment="escrow", **fields)["id"])
    paid = owner.post("/api/payments", {"task_id": task, "payment_method": VISA}, **key())
    assert paid.json["payment"]["status"] == "held", paid.json
    assert worker.post(f"/api/tasks/{task}/start").status_code == 200
    return task


def dispute(opener: Person, task_id: int, **changes: Any) -> dict[str, Any]:
    """An open dispute."""
    answer = opener.post(PATH, {"task_id": task_id, **SAID, **changes})
    assert answer.status_code == 201, answer.json
    return dict(answer.json["dispute"])


def answered(opener: Person, other: Person, task_id: int) -> str:
    """The address of a dispute that waits for staff."""
    path = f"{PATH}/{dispute(opener, task_id)['id']}"
    assert other.post(f"{path}/respond", {"content": "It is straight."}).status_code == 200
    return path


def resolve(admin: Person, path: str, **decision: Any) -> TestResponse:
    """What staff decide."""
    return admin.put(f"{path}/resolve", {"note": "Most of it was done well.", **decision}, **key())


def balances(person: Person) -> tuple[int, int]:
    """Available and held, in cents."""
    found = {one["currency"]: one for one in person.get("/api/wallet").json["balances"]}
    euros = found.get("EUR", {"available_minor": 0, "held_minor": 0})
    return euros["available_minor"], euros["held_minor"]


def returned(owner: Person, task_id: int) -> int:
    """Cents of a task's payment that went back to who paid."""
    (payment,) = owner.get("/api/payments", query_string={"task_id": task_id}).json["payments"]
    return int(payment["refunded_minor"])


def work_off(app: Flask) -> None:
    """Everything that is due."""
    with app.app_context():
        while sum((relay(), calling.call_due(), inbox.read_due(), jobs.run_due())):
            pass
        db.session.remove()


@contextmanager
def after(app: Flask, **time: float) -> Iterator[None]:
    """So much later, once the clock has done its part; what it began is done too."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**time)):
        with app.app_context():
            advance_disputes(None)  # type: ignore[arg-type]
            db.session.remove()
        work_off(app)
        yield


def signed_in_again(person: Person) -> Person:
    """The same person with a token of now."""
    credentials = {"username": person.user["username"], "password": PASSWORD}
    answer = person.app.test_client().post("/api/auth/login", json=credentials)
    return Person(person.app, person.user, answer.json["token"])
