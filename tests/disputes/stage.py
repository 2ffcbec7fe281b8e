"""What a dispute is about, made when a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.disputes.jobs import advance_disputes
from tests.factories import money, things
from tests.factories.money import key
from tests.factories.people import PASSWORD, Person

PATH = "/api/disputes"
SAID = {"reason": "work_quality", "description": "The shelf is crooked."}


def running_task(owner: Person, worker: Person, **fields: Any) -> int:
    """A task in progress, paid outside."""
    task = int(things.assigned_task(owner, worker, **fields)["id"])
    assert worker.post(f"/api/tasks/{task}/start").status_code == 200
    return task


def paid_task(owner: Person, worker: Person, **fields: Any) -> int:
    """A task in progress whose money is held."""
    task = int(money.paid_task(owner, worker, **fields)["id"])
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
    return money.balances(person).get("EUR", (0, 0, 0))[:2]


def returned(owner: Person, task_id: int) -> int:
    """Cents of a task's payment that went back to who paid."""
    (payment,) = owner.get("/api/payments", query_string={"task_id": task_id}).json["payments"]
    return int(payment["refunded_minor"])


@contextmanager
def after(app: Flask, **time: float) -> Iterator[None]:
    """So much later, once the clock has done its part; what it began is done too."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**time)):
        money.clockwork(app, advance_disputes)
        money.work(app)
        yield


def signed_in_again(person: Person) -> Person:
    """The same person with a token of now."""
    credentials = {"username": person.user["username"], "password": PASSWORD}
    answer = person.app.test_client().post("/api/auth/login", json=credentials)
    return Person(person.app, person.user, answer.json["token"])
