"""Die at any commit or call to the outside, come back: nothing is lost, nothing a person notices is repeated."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest

import config
from marketplace.core.db import db
from tests.conftest import SETTINGS, make_app
from tests.servers.mail import MailServer


@pytest.fixture
def fresh_url(database: str, tmp_path: Path, worker_id: str) -> Iterator[str]:
    """A migrated database for these lives alone."""
    name = f"crash_{os.getpid()}_{worker_id}"
    server = os.environ["TEST_DATABASE_URL"]
    if database == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
    url = f"sqlite:///{tmp_path}/crash.db" if database == "sqlite" else f"{server.rpartition('/')[0]}/{name}"
    app = make_app(url)
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    yield url
    if database == "postgres":
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def lives(url: str, mail: MailServer, folder: Path) -> list[dict[str, Any]]:
    """How it looked after each death."""
    settings = {**SETTINGS, **mail.settings, "DATABASE_URL": url, "UPLOADS_DIR": str(folder / "files")}
    process = subprocess.run(
        [sys.executable, "-m", "tests.crash.lives", os.environ.get("CRASH_EVERY", "3")],
        cwd=config.ROOT,
        env={**os.environ, **settings, "THREADS": "4"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_killed_anywhere_nothing_is_lost_and_nothing_repeated(fresh_url: str, tmp_path: Path) -> None:
    mail = MailServer()
    try:
        told = lives(fresh_url, mail, tmp_path)
    finally:
        mail.stop()
    assert len(told) > 20
    for life in told:
        assert life.pop("recovered"), life
        step = life.pop("step")
        assert life["errors"] == [], (step, life)
        assert life["findings"] == [], (step, life)
        assert set(life["left"].values()) == {0}, (step, life)
        assert life["told"] == ["new_application", "welcome"], (step, life)
        assert (life["tasks"], life["thumbnails"]) == (1, ["image/webp"]), (step, life)
    letters = Counter((str(one["To"]), str(one["Subject"])) for one in mail.mailbox.letters.values())
    assert set(letters.values()) == {1}
    assert len(letters) == 3 * len(told) + 3
