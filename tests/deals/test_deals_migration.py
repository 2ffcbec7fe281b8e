"""What was agreed on, reviewed and disputed before there were deals becomes theirs, and goes back again."""

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.cli.audit import findings
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import publish
from marketplace.events.reviews import ReviewDue
from marketplace.notifications import notification_builder
from tests.conftest import make_app
from tests.disputes.stage import answered, dispute, paid_task, running_task
from tests.factories import money, things
from tests.factories.copies import multiply
from tests.factories.databases import empty_database
from tests.factories.people import Person, sign_up

BEFORE = "0028"
ROWS = int(os.environ.get("MIGRATION_ROWS", "20"))
MANY = ("users", "tasks", "applications", "deals", "reviews", "disputes", "payments", "outbox", "notifications")
SAME = "kind, subject_id, reference, title, client_id, provider_id, currency, price_minor, category, payment, stage"
CONFIRMING = "SELECT key FROM jobs WHERE name LIKE 'confirm%'"
REMINDED = "SELECT key FROM notifications WHERE type = 'review_reminder' ORDER BY id"


@pytest.fixture
def old(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on a database of its own, whose tables go back and forth."""
    return make_app(empty_database(database, urls, tmp_path, "old"))


def rows(statement: str) -> list[Any]:
    """As tuples."""
    found = [tuple(row) for row in fetch(text(statement))]
    db.session.rollback()
    return found


def everything() -> list[list[Any]]:
    """What must be the same after going back and forth."""
    return [
        rows(f"SELECT {SAME} FROM deals ORDER BY reference"),
        rows(
            "SELECT d.reference, r.reviewer_id, r.rating FROM reviews r JOIN deals d ON d.id = r.deal_id ORDER BY r.id"
        ),
        rows(
            "SELECT d.reference, a.reference, x.status FROM disputes x JOIN deals d ON d.id = x.deal_id"
            " LEFT JOIN deals a ON a.id = x.active_reference ORDER BY x.id"
        ),
    ]


def lived(app: Flask) -> None:
    """Tasks in every state, reviews of one, and a dispute that is over beside one that goes on."""
    anna, juris = sign_up(app, "anna"), sign_up(app, "juris")
    things.task(anna)
    things.assigned_task(anna, juris, budget=20)
    done = things.completed_task(anna, juris)["id"]
    things.review(anna, done)
    things.review(juris, done)
    withdrawn = answered(anna, juris, running_task(anna, juris))
    assert anna.post(f"{withdrawn}/withdraw").status_code == 200
    answered(juris, anna, running_task(anna, juris))
    given_back = things.assigned_task(anna, juris)["id"]
    assert juris.post(f"/api/tasks/{given_back}/decline").status_code == 200
    called_off = things.assigned_task(anna, juris)["id"]
    assert anna.post(f"/api/tasks/{called_off}/cancel").status_code == 200
    _booked(anna, juris)


def _booked(anna: Person, juris: Person) -> None:
    offering = things.offering(juris)["id"]
    assert anna.post(f"/api/offerings/{offering}/book", {}).status_code == 201


def paid(app: Flask) -> None:
    """Deals whose money is held, disputed, earned and given back."""
    clara, dainis = sign_up(app, "clara"), sign_up(app, "dainis")
    paid_task(clara, dainis, budget=40)
    dispute(clara, paid_task(clara, dainis, budget=50))
    for budget in (20, 30):
        done = money.finished_task(clara, dainis, budget=budget)["id"]
        things.review(clara, done)
        things.review(dainis, done)
    called_off = money.paid_task(clara, dainis, budget=60)["id"]
    assert clara.post(f"/api/tasks/{called_off}/cancel").status_code == 200
    money.work(app)


def multiplied(rows: int) -> None:
    """So many rows of each of these tables, at least."""
    counts = {name: _count(name) for name in MANY}
    multiply(-(-rows // min(counts.values())) - 1)
    assert min(_count(name) for name in MANY) >= rows


def _count(table: str) -> int:
    return int(rows(f"SELECT COUNT(*) FROM {table}")[0][0])


def timed(what: str, work: Callable[[], object]) -> None:
    """Say how long it took."""
    began = perf_counter()
    work()
    print(f"{db.engine.dialect.name}: {what} {perf_counter() - began:.1f} s")


def test_deals_reviews_and_disputes_survive_the_way_back_and_forth(old: Flask) -> None:
    with old.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    lived(old)
    paid(old)
    with old.app_context():
        in_transaction(
            lambda: execute(
                text(
                    "DELETE FROM deals WHERE stage = 'cancelled' AND reference NOT IN"
                    " (SELECT 'task:' || id FROM tasks WHERE assigned_to_id IS NOT NULL)"
                )
            )
        )  # given back: no trace of before
        in_transaction(lambda: publish(ReviewDue(reference="task:3", user_id=1, other_id=2)))
        in_transaction(lambda: notification_builder.of_deal(1, "review_reminder", "task:3", other_id=2))
        jobs.plan()
        multiplied(ROWS)
        before = everything()
        open_disputes = _count("disputes WHERE active_reference IS NOT NULL")
        _audited()

        timed("down", lambda: flask_migrate.downgrade(revision=BEFORE))
        assert rows("SELECT task_id FROM reviews ORDER BY id")[:2] == [(3,), (3,)]
        assert _count("disputes WHERE active_reference = task_id") == open_disputes > 0
        assert rows(CONFIRMING) == [("confirm_tasks",)]
        assert rows(REMINDED)[0] == ("review_reminder:3",)
        assert '"task_id": 3' in rows("SELECT CAST(payload AS TEXT) FROM outbox WHERE name = 'ReviewDue'")[0][0]
        timed("up", flask_migrate.upgrade)

        assert everything() == before
        assert rows(CONFIRMING) == [("confirm_deals",)]
        assert rows(REMINDED)[0] == ("review_reminder:task:3",)
        assert '"task:3"' in rows("SELECT CAST(payload AS TEXT) FROM outbox WHERE name = 'ReviewDue'")[0][0]
        _audited()
        db.engine.dispose()


def _audited() -> None:
    timed("audit", lambda: findings() == [] or pytest.fail(f"{findings()}"))
    db.session.remove()
