"""What conversations were about by a column for each trade they are about by kind and id, and back again."""

from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.cli.audit import findings
from marketplace.core.database.db import db, execute, fetch, in_transaction
from tests.conftest import make_app
from tests.factories import things
from tests.factories.databases import empty_database
from tests.factories.people import sign_up
from tests.factories.talks import pair, room

BEFORE = "0031"
MOON = "subject = 'moon:7', subject_kind = 'moon', subject_id = 7"
NOW = "SELECT id, subject, subject_kind, subject_id, last_seq FROM conversations ORDER BY id"
THEN = "SELECT subject, task_id, offering_id, listing_id FROM conversations ORDER BY id"


@pytest.fixture
def old(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on a database of its own, whose tables go back and forth."""
    return make_app(empty_database(database, urls, tmp_path, "subjects"))


def rows(statement: str) -> list[tuple[Any, ...]]:
    """As tuples."""
    found = [tuple(row) for row in fetch(text(statement))]
    db.session.rollback()
    return found


def test_every_conversation_keeps_its_subject_on_the_way_back_and_forth(old: Flask) -> None:
    with old.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    anna, juris = sign_up(old, "anna"), sign_up(old, "juris")
    task, offering, listing = (make(juris)["id"] for make in (things.task, things.offering, things.listing))
    for about in ({}, {"task_id": task}, {"offering_id": offering}, {"listing_id": listing}, {"listing_id": listing}):
        pair(anna, juris, **about)
    room(anna, juris)
    other = pair(anna, juris, task_id=things.task(anna)["id"])
    juris.delete(f"/api/listings/{listing}")
    with old.app_context():
        in_transaction(lambda: execute(text(f"UPDATE conversations SET {MOON} WHERE id = {other}")))
        before = rows(NOW)
        flask_migrate.downgrade(revision=BEFORE)

        plain = ("", None, None, None)
        each = [(f"task:{task}", task, None, None), (f"offering:{offering}", None, offering, None)]
        each.append((f"listing:{listing}", None, None, listing))
        assert rows(THEN) == [plain, *each, plain, ("moon:7", None, None, None)]
        in_transaction(lambda: execute(text(_about_several(task, listing))))
        flask_migrate.upgrade()

        several = f"listing:{listing},task:{task}"
        assert rows(NOW)[:-1] == before
        assert rows(NOW)[-1][1:] == (several, "task", task, 0)
        assert [one for one in findings() if "moon" not in one] == []
        db.session.remove()
        flask_migrate.downgrade(revision=BEFORE)
        assert rows(THEN)[-1] == (several, task, None, listing)
        flask_migrate.upgrade()
        assert rows(NOW)[:-1] == before
        db.session.remove()
        db.engine.dispose()


def _about_several(task: int, listing: int) -> str:
    """As it could be opened once."""
    return f"""INSERT INTO conversations (participant_1_id, participant_2_id, subject, title, task_id, listing_id,
        last_seq, last_rev, created_at, updated_at) SELECT participant_1_id, participant_2_id,
        'listing:{listing},task:{task}', '', {task}, {listing}, 0, 0, created_at, updated_at
        FROM conversations WHERE task_id = {task}"""
