"""Lives of their own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import psycopg
import pytest

from marketplace.core.database.db import db
from tests.conftest import MEMORY, make_app


@pytest.fixture
def fresh_url(database: str, tmp_path: Path, worker_id: str) -> Iterator[str]:
    """A migrated database for these lives alone."""
    name = f"crash_{os.getpid()}_{worker_id}"
    server = os.environ["TEST_DATABASE_URL"]
    if database == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else tmp_path))
    url = f"sqlite:///{folder}/crash.db" if database == "sqlite" else f"{server.rpartition('/')[0]}/{name}"
    app = make_app(url)
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    yield url
    if database == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    shutil.rmtree(folder)
