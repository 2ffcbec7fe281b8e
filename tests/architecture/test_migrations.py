"""Migrations are code: up, down, up, and what they build is what the models say."""

import re
from pathlib import Path

import alembic.autogenerate
import alembic.command
import flask_migrate
import psycopg
import pytest
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect

from marketplace.core.database.db import Base, db
from tests.conftest import make_app

BY_HAND = re.compile(r"(listings|tasks|offerings|users)_search|^search_vector$")  # no model can say these


@pytest.fixture
def fresh(database: str, urls: dict[str, str], tmp_path: Path) -> Flask:
    """An application on an empty database of its own."""
    if database == "sqlite":
        return make_app(f"sqlite:///{tmp_path / 'fresh.db'}")
    server, _, name = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}_fresh"')
        connection.execute(f'CREATE DATABASE "{name}_fresh"')
    return make_app(f"{server}/{name}_fresh")


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
