"""Which SQLite runs, and what is said of it."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, text

import config
from marketplace.auth.models import User
from marketplace.core.database import sqlite
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.tasks.models import Task
from tests.conftest import disconnect, make_app
from tests.servers import sqlite_files

ALONE = """
import sys
sys.modules["pysqlite3"] = None
from marketplace.core.database import sqlite
print(sqlite.driver.__name__, sqlite.driver.sqlite_version)
"""
OLD = (3, 40, 1)


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 9), (3, 50, 6), (3, 51, 2)])
def test_a_release_that_may_lose_rows_is_named(version: tuple[int, ...]) -> None:
    said = sqlite.warning(version)
    assert said is not None
    assert "SQLite {}.{}.{} runs here".format(*version) in said


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 4), (4, 0, 0)])
def test_of_a_corrected_release_nothing_is_said(version: tuple[int, ...]) -> None:
    assert sqlite.warning(version) is None


def test_the_application_and_its_tests_run_on_the_driver_that_is_told(apps: dict[str, Flask]) -> None:
    with apps["sqlite"].app_context():
        assert db.engine.dialect.dbapi is sqlite.driver
        assert fetch(text("SELECT sqlite_version()"))[0][0] == sqlite.driver.sqlite_version


def test_where_the_wheel_is_its_corrected_sqlite_runs() -> None:
    pytest.importorskip("pysqlite3", reason="there is no wheel for this platform")
    assert sqlite.driver.__name__ == "pysqlite3.dbapi2"
    assert sqlite.warning() is None


def test_without_the_wheel_the_interpreters_own_runs() -> None:
    command = [sys.executable, "-c", ALONE]
    said = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "sqlite3.dbapi2"


def test_a_faulty_one_is_told_at_the_start_and_by_readyz(
    apps: dict[str, Flask], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sqlite.driver, "sqlite_version_info", OLD)
    url = apps["sqlite"].config["DATABASE_URL"]
    app = make_app(url, LOG_LEVEL="WARNING")
    assert "SQLite 3.40.1 runs here" in capsys.readouterr().out
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert "may lose committed rows" in answer.json["parts"]["sqlite"]
    make_app(url)  # quiet again


def test_a_first_write_after_a_migration_finds_the_tables(apps: dict[str, Flask]) -> None:
    app = apps["sqlite"]
    late = make_app(app.config["DATABASE_URL"])
    with late.app_context():
        fetch(select(User.id))
        db.session.remove()
    with app.app_context():
        execute_all("CREATE TRIGGER later AFTER DELETE ON reviews BEGIN SELECT 1; END", "DROP TRIGGER later")
    with late.app_context():
        assert in_transaction(lambda: execute(delete(Task))) == 0
    disconnect()


def execute_all(*statements: str) -> None:
    """As a migration that another process runs."""
    for statement in statements:
        in_transaction(partial(execute, text(statement)))


def test_nobody_opens_a_file_by_another_copy_of_sqlite() -> None:
    for path in [*(config.ROOT / "marketplace").rglob("*.py"), *(config.ROOT / "tests").rglob("*.py")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [
            line for line in lines if line.startswith(("import sqlite3", "from sqlite3", "import pysqlite3"))
        ], path


VISIT = """
import sys
from marketplace.core.database.sqlite import driver
visitor = driver.connect(sys.argv[1])
visitor.execute("SELECT count(*) FROM things").fetchall()
visitor.close()
"""


def by_hand(database: str) -> bytes:
    """As nobody should."""
    return b"".join(path.read_bytes() for path in Path(database).parent.iterdir())


@pytest.mark.parametrize(("read", "kept"), [(sqlite_files.content, True), (by_hand, False)])
def test_only_another_process_reads_the_file_without_taking_the_locks_of_who_has_it_open(
    tmp_path: Path, read: Callable[[str], bytes], kept: bool
) -> None:
    database = str(tmp_path / "x.db")
    with closing(sqlite.driver.connect(database, isolation_level=None)) as open_here:
        open_here.execute("PRAGMA journal_mode=WAL")
        open_here.execute("CREATE TABLE things (name TEXT)")
        assert b"things" in read(database)
        subprocess.run([sys.executable, "-c", VISIT, database], cwd=config.ROOT, check=True)
        # whoever closes a database that nobody else has open takes its log away
        assert Path(f"{database}-wal").exists() == kept
