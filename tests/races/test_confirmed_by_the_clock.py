"""The clock confirms a delivery that waited long enough, and no later one that took its place in the meantime."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.deals import service
from marketplace.deals.models import Deal
from marketplace.tasks.lifecycle import CONFIRM_AFTER
from tests.disputes import stage
from tests.factories import things
from tests.factories.people import Person
from tests.races.interleave import meet

FIRST_READS = (1, 2, 3, 4)  # it looks at the deal, then at the task: between the two it has locked neither


def _delivered_long_ago(app: Flask, anna: Person, juris: Person) -> tuple[int, int]:
    """Ids of a deal that is due, and of its task."""
    task = things.assigned_task(anna, juris)["id"]
    for verb in ("start", "done"):
        assert juris.post(f"/api/tasks/{task}/{verb}").status_code == 200
    with app.app_context():
        deal = fetch(select(Deal.id, Deal.delivered_at).where(Deal.subject_id == task))[0]
        before = deal.delivered_at - CONFIRM_AFTER - timedelta(hours=1)
        in_transaction(lambda: execute(update(Deal).where(Deal.id == deal.id).values(delivered_at=before)))
        db.session.remove()
    return deal.id, task


def _deliver_again(anna: Person, juris: Person, task: int) -> None:
    """Disputed, reopened, delivered anew; nothing of it where the clock was faster."""
    opened = anna.post(stage.PATH, {"task_id": task, **stage.SAID})
    if opened.status_code == 201:
        assert anna.post(f"{stage.PATH}/{opened.json['id']}/withdraw").status_code == 200
        assert juris.post(f"/api/tasks/{task}/done").status_code == 200


def _confirmed_too_early(app: Flask, anna: Person, juris: Person) -> list[int]:
    """Before which read the rival came, where the new delivery was confirmed at once."""
    early = []
    for step in FIRST_READS:
        deal_id, task = _delivered_long_ago(app, anna, juris)
        confirm = partial(in_transaction, partial(service.confirm_unanswered, deal_id))
        meet(app, confirm, partial(_deliver_again, anna, juris, task), step)
        deal = anna.get(f"/api/deals/task:{task}").json
        with app.app_context():
            row = fetch(select(Deal.delivered_at, Deal.completed_at).where(Deal.id == deal_id))[0]
            db.session.remove()
        if deal["stage"] == "completed" and row.completed_at - row.delivered_at < CONFIRM_AFTER:
            early.append(step)
    return early


def test_a_new_delivery_is_not_confirmed_for_the_old_one(app: Flask, anna: Person, juris: Person) -> None:
    assert _confirmed_too_early(app, anna, juris) == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)  # SQLite has one writer
def test_without_the_second_look_it_would_be(
    app: Flask, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_demand_delivered", lambda deal, since: None)
    assert _confirmed_too_early(app, anna, juris) != []
