"""`flask db upgrade` tells what it does, and to which database."""

from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Flask

import config
from tests.conftest import make_app

REVISIONS = list(ScriptDirectory(str(config.ROOT / "migrations")).walk_revisions())


def _upgrade(app: Flask) -> tuple[int, list[str]]:
    answer = app.test_cli_runner().invoke(args=["db", "upgrade"])
    return answer.exit_code, answer.output.splitlines()


def test_every_step_is_told_and_then_that_nothing_is_to_be_done(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'new.db'}")
    code, told = _upgrade(app)
    assert (code, told[0]) == (0, f"Database: sqlite:///{tmp_path / 'new.db'}")
    assert told[1:-1] == [f"  applied: {each.revision} {each.doc}" for each in reversed(REVISIONS)]
    assert told[-1] == f"{len(REVISIONS)} steps; it is at {REVISIONS[0].revision} now."
    assert _upgrade(app)[1][-1] == f"Nothing to do: it is at {REVISIONS[0].revision}."


def test_the_database_is_named_without_its_password(app: Flask) -> None:
    code, told = _upgrade(app)
    assert (code, told[-1]) == (0, f"Nothing to do: it is at {REVISIONS[0].revision}.")
    gone = make_app("postgresql://shop:sesame@127.0.0.1:1/shop?application_name=sesame")
    code, told = _upgrade(gone)
    assert (code, len([line for line in told if "Traceback" in line])) == (1, 0)
    assert "postgresql+psycopg://shop:***@127.0.0.1:1/shop cannot be reached" in "".join(told)
    assert "sesame" not in "".join(told)
