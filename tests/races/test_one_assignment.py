"""32 accepts at once give one assignment; without the guard they do not."""

from functools import partial
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database.db import fetch
from marketplace.core.database.lifecycle import StateChange
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.models import Application, Task
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.races.burst import burst

APPLICANTS = 31


def _task_with_applicants(app: Flask, owner: Person) -> tuple[int, list[int], Person]:
    task_id = things.task(owner)["id"]
    people = [sign_up(app, f"helper_{n}") for n in range(APPLICANTS)]
    return task_id, [things.application(person, task_id)["id"] for person in people], people[0]


def _assignments(app: Flask) -> int:
    with app.app_context():
        made = select(func.count()).where(StateChange.thing == "task", StateChange.verb == "assign")
        return int(fetch(made)[0][0])


def test_many_accepts_and_a_withdrawal_make_one_assignment(app: Flask, anna: Person) -> None:
    task_id, applications, first = _task_with_applicants(app, anna)
    calls = [partial(anna.post, f"/api/tasks/{task_id}/applications/{number}/accept") for number in applications]
    calls.append(partial(first.delete, f"/api/tasks/{task_id}/applications/{applications[0]}"))

    statuses = [answer.status_code for answer in burst(calls)]

    accepted = statuses[:-1].count(200)
    assert accepted == 1, statuses
    assert set(statuses) <= {200, 409}
    assert _assignments(app) == 1


@pytest.mark.control
def test_control_without_the_version_check_several_accepts_succeed(
    app: Flask, anna: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id, applications, _ = _task_with_applicants(app, anna)
    for model in (Task, Application):
        monkeypatch.setattr(model.__mapper__, "version_id_col", None)
        monkeypatch.setattr(model.__mapper__, "_memoized_values", {})
    if database == "sqlite":  # there BEGIN IMMEDIATE alone would do
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})

    both_have_read, arrived, found = Barrier(2), count(), applications_service.find_for_owner

    def careless(*named: Any) -> tuple[Application, Task]:
        read = found(*named)
        if next(arrived) < 2:
            both_have_read.wait(60)
        return read

    monkeypatch.setattr(applications_service, "find_for_owner", careless)
    calls = [partial(anna.post, f"/api/tasks/{task_id}/applications/{number}/accept") for number in applications]
    burst(calls)

    assert _assignments(app) > 1
