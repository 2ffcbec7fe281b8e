"""Migrations are code: up, down, up, and what they build is what the models say."""

import re
from pathlib import Path

import alembic.autogenerate
import alembic.command
import flask_migrate
import pytest
from alembic.migration import MigrationContext
from click import ClickException
from flask import Flask
from sqlalchemy import inspect, text

from marketplace.core.database.db import Base, db, fetch
from tests.conftest import make_app
from tests.factories.databases import empty_database
from tests.factories.people import sign_up
from tests.factories.talks import pair, said

BY_HAND = re.compile(r"(listings|tasks|offerings|users)_search|^search_vector$")  # no model can say these


@pytest.fixture
def fresh(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on an empty database of its own."""
    return make_app(empty_database(database, urls, tmp_path, "fresh"))


def _differences() -> list[object]:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (name and BY_HAND.search(name))

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours, "compare_type": True})
        return list(alembic.autogenerate.compare_metadata(context, Base.metadata))


def test_up_down_up_and_models_agree(fresh: Flask) -> None:
    with fresh.app_context():
        flask_migrate.upgrade()
        assert _differences() == []

        flask_migrate.downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}

        flask_migrate.upgrade()
        assert _differences() == []
        db.engine.dispose()


def test_a_new_migration_would_change_nothing_and_needs_nothing_of_ours(fresh: Flask) -> None:
    with fresh.app_context():
        flask_migrate.upgrade()
        answer = fresh.test_cli_runner().invoke(args=["db", "check"])
        assert answer.exit_code == 0
        db.engine.dispose()


def test_a_table_made_anew_keeps_the_rows_of_others_that_refer_to_it(fresh: Flask) -> None:
    with fresh.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    anna, juris = sign_up(fresh, "anna"), sign_up(fresh, "juris")
    talk = pair(anna, juris, message="Hello")
    with fresh.app_context():
        before = _messages()
        flask_migrate.downgrade(revision="0015")  # chat made both tables anew
        flask_migrate.upgrade()
        assert (_messages(), bool(before)) == (before, True)
        db.engine.dispose()
    assert [message["content"] for message in said(juris, talk)] == ["Hello"]


def test_after_a_migration_references_are_enforced_again(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'again.db'}")
    with app.app_context():
        flask_migrate.upgrade()
        assert fetch(text("PRAGMA foreign_keys"))[0][0] == 1
        db.session.remove()
        db.engine.dispose()


def _messages() -> list[tuple[object, ...]]:
    rows = fetch(text("SELECT id, conversation_id, seq, sender_id FROM messages ORDER BY id"))
    db.session.rollback()
    return [tuple(row) for row in rows]


def test_a_migration_that_would_leave_rows_without_what_they_refer_to_is_rolled_back(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'lost.db'}")
    with app.app_context():
        flask_migrate.upgrade(revision="0028")
        db.session.remove()
        with db.engine.connect() as connection:
            own = connection.connection.driver_connection
            own.execute("PRAGMA foreign_keys=OFF")
            own.execute(
                "INSERT INTO favorites (user_id, item_type, item_id, created_at) VALUES (7, 'task', 1, '2026-01-01')"
            )
            own.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(ClickException, match=r"0029: 1 rows refer to nothing, in favorites\. Nothing is changed"):
            flask_migrate.upgrade()
        assert "deals" not in inspect(db.engine).get_table_names()
        db.engine.dispose()
