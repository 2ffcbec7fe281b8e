"""Whatever is wrong, a command says one sentence and ends with a status that is not 0."""

import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy import text

import config
from marketplace.app import create_app
from marketplace.core.database.db import execute, fetch, in_transaction
from tests.conftest import make_app
from tests.declared import COMMANDS

HUGE = "99999999999999999999"
WRONG: list[tuple[list[str], str]] = [
    (["copy-database", "nonsense", "sqlite:////tmp/x.db"], "The source must be an address"),
    (["copy-database", "mysql://h/x", "sqlite:////tmp/x.db"], "The source must be an address"),
    (["copy-database", "sqlite:////nowhere/x.db", "nonsense"], "The target must be an address"),
    (["copy-database", "sqlite:////nowhere/x.db", "sqlite:////tmp/x.db"], "There is no database at"),
    (["copy-database"], "Missing argument"),
    (["copy-uploads", "/nowhere"], "does not exist"),
    (["db", "upgrade", "nowhere"], ""),
    (["db", "downgrade", "nowhere"], ""),
    (["import", "listings", "/nowhere.csv"], "does not exist"),
    (["import", "planets", "/nowhere.csv"], "is not one of"),
    (["import", "listings", __file__, "--limit", "-1"], "is not in the range"),
    (["import", "listings", __file__, "--owner", "nobody"], ""),
    (["jobs", "--again", "x"], "Say --again all"),
    (["jobs", "--again", "1,x"], "Say --again all"),
    (["outbox", "--again", HUGE], "Say --again all"),
    (["outbox", "--limit", HUGE], "is not in the range"),
    (["notifications", "--state", "lost"], "is not one of"),
    (["notifications", "--limit", "0"], "is not in the range"),
    (["messages", "--user", HUGE], "is not in the range"),
    (["messages", "--limit", "-1"], "is not in the range"),
    (["routes", "--sort", "beauty"], ""),
    (["serve", "--port", "99999"], "is not in the range"),
    (["serve", "--host", "no.such.host.invalid"], "HOST is no.such.host.invalid"),
    (["users", "grant", "nobody", "admin"], "There is no account called nobody."),
    (["users", "grant", "nobody", "king"], "is not one of"),
    (["users", "suspend", "no\0body", "why"], ""),
    (["users", "suspend", "no\udc80body", "why"], "This is not written in UTF-8: 'no\\udc80body'."),
    (["users", "grant", "no\udcffbody", "admin"], "This is not written in UTF-8"),
    (["users", "reinstate", "nobody"], "There is no account called nobody."),
    (["users", "erase", "nobody", "--yes"], "There is no account called nobody."),
    (["users", "erase", "nobody"], "Aborted"),
    (["users", "promote", "nobody"], "No such command"),
    (["encryption", "new-key", "extra"], "unexpected extra argument"),
    (["vapid-key", "--loud"], "No such option"),
    (["settings", "--loud"], "No such option"),
    (["seed", "--loud"], "No such option"),
    (["audit", "extra"], "unexpected extra argument"),
    (["reindex", "extra"], "unexpected extra argument"),
    (["handbook", "extra"], "unexpected extra argument"),
    (["demo-escrow", "extra"], "unexpected extra argument"),
]
ON_DATABASE = [
    ["audit"],
    ["encryption", "rotate"],
    ["import", "listings", __file__],
    ["jobs"],
    ["messages"],
    ["notifications"],
    ["outbox"],
    ["reindex"],
    ["seed"],
    ["users", "staff"],
    ["users", "grant", "anna", "admin"],
]
WITHOUT_APPLICATION = [["--help"], ["encryption", "new-key"], ["vapid-key"]]


def names(commands: dict[str, click.Command] | tuple[click.Command, ...]) -> set[str]:
    """Of a group's or of ours."""
    return {str(command.name) for command in (commands.values() if isinstance(commands, dict) else commands)}


def assert_told(result: Result, sentence: str = "") -> None:
    """One sentence, no traceback, and the shell learns of it."""
    assert result.exit_code != 0, result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output
    assert sentence in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"), WRONG, ids=[ascii(" ".join(arguments))[1:40] for arguments, _ in WRONG]
)
def test_what_was_typed_wrong_is_a_sentence(app: Flask, arguments: list[str], sentence: str) -> None:
    assert_told(app.test_cli_runner().invoke(args=arguments), sentence)


def test_every_command_is_tried_with_something_wrong() -> None:
    assert {arguments[0] for arguments, _ in WRONG} == names(COMMANDS) | {"routes"}


def test_every_command_is_there_without_an_application() -> None:
    project = tomllib.loads((config.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["entry-points"]["flask.commands"]) == names(COMMANDS) | {"routes"}


@pytest.mark.parametrize("arguments", ON_DATABASE, ids=" ".join)
def test_a_database_without_tables_is_told(tmp_path: Path, arguments: list[str]) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}")
    assert_told(app.test_cli_runner().invoke(args=arguments), "has no tables yet; run: flask db upgrade")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seed"], "The database cannot be used: connection"),
        (["users", "staff"], "The database cannot be used: connection"),
        (["db", "upgrade"], "127.0.0.1:1/x cannot be reached: connection"),
        (["serve", "--port", "0"], "range"),
    ],
)
def test_a_database_that_does_not_answer_is_told_without_its_password(arguments: list[str], said: str) -> None:
    app = make_app("postgresql://shop:hunter2@127.0.0.1:1/x")
    result = app.test_cli_runner().invoke(args=arguments)
    assert_told(result, said)
    assert "hunter2" not in result.output


def test_a_database_that_is_newer_or_older_than_the_code_is_told(app: Flask) -> None:
    asked = app.test_cli_runner()
    with app.app_context():
        present = in_transaction(lambda: set_revision("9999"))
    try:
        assert_told(asked.invoke(args=["users", "staff"]), "9999, which this code does not know")
        assert_told(asked.invoke(args=["serve", "--port", "5099"]), "9999, which this code does not know")
        with app.app_context():
            in_transaction(lambda: set_revision("0001"))
        assert_told(asked.invoke(args=["users", "staff"]), "is at 0001, the code at")
    finally:
        with app.app_context():
            in_transaction(lambda: set_revision(present))


def set_revision(revision: str) -> str:
    """Pretend; returns what it was."""
    present = str(fetch(text("SELECT version_num FROM alembic_version"))[0][0])
    execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    return present


def flask(arguments: list[str]) -> Result:
    """The command line as an operator has it: the application is made when a command asks for it."""
    return CliRunner().invoke(FlaskGroup(create_app=create_app), arguments, prog_name="flask")


@pytest.fixture
def unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A production that nobody has set up yet."""
    monkeypatch.setenv("MARKETPLACE_ENV", "production")
    monkeypatch.setenv("PORT", "99999")
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("arguments", WITHOUT_APPLICATION, ids=" ".join)
def test_what_an_operator_runs_first_needs_no_settings(unsafe: None, arguments: list[str]) -> None:
    result = flask(arguments)
    assert (result.exit_code, result.exception) == (0, None)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [*ON_DATABASE, ["serve"], ["db", "upgrade"], ["run"], ["settings"]], ids=" ".join)
def test_every_other_command_says_what_is_wrong_with_the_settings(unsafe: None, arguments: list[str]) -> None:
    result = flask(arguments)
    assert_told(result, "Error: PORT must be a whole number from 1 to 65,535, not '99999'.\nIn production SECRET_KEY")
    assert "Usage" not in result.output
