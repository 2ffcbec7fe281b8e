"""Ready means: what is needed to serve answers now, and the database is the one this version knows."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text

from marketplace.core import registration
from marketplace.core.database import migrations
from marketplace.core.database.db import execute, in_transaction
from marketplace.core.ops import health, readiness
from marketplace.core.queues import background
from marketplace.core.queues.background import LOOKED_AT, note_look
from tests.conftest import make_app
from tests.servers.redis import own_database
from tests.servers.waiting import until

LONG = 60.0
FINE = {
    "database": "ok",
    "migrations": "ok",
    "redis": "not used",
    "encryption": "ok",
    "storage": "ok",
    "workers": "not used",
}


@pytest.fixture
def make(app: Flask, tmp_path: Path) -> Callable[..., Flask]:
    """An application with an answer of its own and these settings."""
    return lambda **how: make_app(app.config["DATABASE_URL"], **{"UPLOADS_DIR": str(tmp_path / "files"), **how})


@pytest.fixture
def redis(worker_id: str) -> Iterator[str]:
    """The address of an empty one."""
    url = own_database(worker_id, 10)
    yield url
    Redis.from_url(url).flushdb()


def ask(app: Flask) -> tuple[int, str, dict[str, str]]:
    """The code, the status and the parts."""
    answer = app.test_client().get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"
    parts = answer.json["parts"]
    if app.config["DATABASE_URL"].startswith("sqlite"):
        assert parts.pop("sqlite") == "ok"
    return answer.status_code, answer.json["status"], parts


def test_ready(make: Callable[..., Flask], tmp_path: Path) -> None:
    assert ask(make()) == (200, "ok", FINE)
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


def test_not_ready_without_a_database(make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE", text("SELECT * FROM no_such_table"))
    code, status, parts = ask(make())
    assert (code, status, parts["database"]) == (503, "unavailable", "does not answer")


@pytest.mark.parametrize("version", ["0001", "from the future", None])
def test_not_ready_with_the_database_of_another_version(make: Callable[..., Flask], version: str | None) -> None:
    said = {"0001": health.BEHIND, None: health.BEHIND}.get(version, health.AHEAD)
    app = make()
    with app.app_context():
        heads = set(migrations.heads(app.extensions["migrate"].directory))
        in_transaction(lambda: write_versions({version} - {None}))
        try:
            assert ask(app)[::2] == (503, {**FINE, "migrations": said, "encryption": health.NOT_ASKED})
        finally:
            in_transaction(lambda: write_versions(heads))


def test_a_database_that_was_never_migrated_is_told_to_be(make: Callable[..., Flask]) -> None:
    app = make()
    with app.app_context():
        in_transaction(lambda: execute(text("ALTER TABLE alembic_version RENAME TO elsewhere")))
        try:
            said = {**FINE, "migrations": health.BEHIND, "encryption": health.NOT_ASKED}
            assert ask(app) == (503, "unavailable", said)
        finally:
            in_transaction(lambda: execute(text("ALTER TABLE elsewhere RENAME TO alembic_version")))


def write_versions(versions: Any) -> None:
    """As though these migrations were the last."""
    execute(text("DELETE FROM alembic_version"))
    for version in versions:
        execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


def test_not_ready_where_no_file_can_be_stored(make: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    code, _, parts = ask(make(UPLOADS_DIR=str(tmp_path / "file" / "files")))
    assert (code, parts) == (503, {**FINE, "storage": "does not answer"})


def test_a_lost_redis_is_told_and_does_not_stop_the_shop(make: Callable[..., Flask]) -> None:
    parts = {**FINE, "redis": "does not answer"}
    assert ask(make(REDIS_URL="redis://127.0.0.1:1/0")) == (200, "degraded", parts)


def test_threads_that_ended_are_seen(make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    app, ended = make(), threading.Thread(target=bool)
    ended.start()
    ended.join(LONG)
    app.extensions["background"] = [threading.main_thread(), ended]
    code, _, parts = ask(app)
    assert (code, parts["workers"]) == (503, "stopped: restart this process")


def test_threads_that_live_are_ready(make: Callable[..., Flask]) -> None:
    app = make()
    threads = registration.background(app)
    for thread in threads:
        thread.start()
    try:
        assert ask(app) == (200, "ok", {**FINE, "workers": "ok"})
    finally:
        for thread in threads:
            thread.stop()


def test_workers_that_stopped_are_seen(make: Callable[..., Flask], redis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> tuple[int, str, str]:
        code, status, parts = ask(make(JOBS="celery", REDIS_URL=redis))
        return code, status, parts["workers"]

    assert said() == (200, "degraded", "no worker has been here yet: start worker and beat")
    note_look(redis)
    assert said() == (200, "ok", "ok")
    Redis.from_url(redis).decrby(LOOKED_AT, int(background.STOPPED_AFTER) + 60)
    assert said() == (200, "degraded", "stopped: nobody has looked for work for 3 minutes")


def test_a_part_that_hangs_costs_one_thread_and_a_bounded_time(
    make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, go_on, runs = make(), threading.Event(), []
    monkeypatch.setattr(readiness, "PATIENCE", 0.05)

    def hang() -> str:
        runs.append(1)
        go_on.wait(LONG)
        return "ok"

    readiness.add(app, "disk", hang)
    assert [ask(app)[2]["disk"] for _ in range(3)] == ["does not answer"] * 3
    assert runs == [1]
    go_on.set()
    monkeypatch.setattr(readiness, "PATIENCE", LONG)
    until("it to answer", lambda: ask(app)[2]["disk"] == "ok")


def test_a_crowd_asks_once(make: Callable[..., Flask]) -> None:
    app, runs = make(), []
    readiness.add(app, "disk", lambda: str(runs.append(1) or "ok"), seconds=LONG)
    assert {ask(app)[0] for _ in range(5)} == {200}
    assert runs == [1]
