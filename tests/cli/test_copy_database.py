"""The way from SQLite to Postgres and back: every row, every id, proved."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

from marketplace.cli import copy_database
from marketplace.core.database.db import db
from marketplace.core.database.encryption import derived_key
from tests.conftest import make_app
from tests.factories import things
from tests.factories.people import Person, sign_up


@pytest.fixture
def empty_urls(urls: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An empty database of each kind."""
    server, _, name = urls["postgres"].rpartition("/")
    with psycopg.connect(urls["postgres"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}_copy" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}_copy"')
    return {"sqlite": f"sqlite:///{tmp_path / 'copy.db'}", "postgres": f"{server}/{name}_copy"}


@pytest.fixture
def world(app: Flask, anna: Person, juris: Person) -> Person:
    """A little of everything."""
    things.review(anna, things.completed_task(anna, juris)["id"])
    things.listing(anna, price=99.99, tags="a, b", images="https://a/1.jpg", expires_at="2031-01-01T00:00:00Z")
    things.offering(juris, description="Ё ā 😀 'quoted' \\ and\nlines")
    wanted = things.listing(juris)["id"]
    anna.post("/api/favorites", json={"item_type": "listing", "item_id": wanted})
    anna.post("/api/messages/conversations", json={"user_id": juris.id, "listing_id": wanted, "message": "Hello"})
    anna.post(
        "/api/listings",
        json={"title": "k", "description": "k", "price": 1, "category": "x"},
        headers={"Idempotency-Key": "k"},
    )
    return anna


def _copy(app: Flask, source: str, target: str, *options: str) -> tuple[int, str]:
    options = options or ("--same-secret-key",)
    answer = app.test_cli_runner().invoke(args=["copy-database", source, target, *options])
    return answer.exit_code, answer.output


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_every_row_arrives_and_the_copy_lives_on(
    app: Flask, world: Person, empty_urls: dict[str, str], kind: str
) -> None:
    code, output = _copy(app, app.config["DATABASE_URL"], empty_urls[kind])
    assert code == 0, output
    assert "The copy is complete." in output
    assert "DIFFERS" not in output

    copy = make_app(empty_urls[kind])
    here, there = Person(copy, token=world.token), world
    for path in ("/api/listings", "/api/listings?q=bicycle&latitude=56.9&longitude=24.1", "/api/auth/profile/full"):
        assert here.get(path).json == there.get(path).json, path
    newcomer = sign_up(copy, "newcomer")
    assert newcomer.id > world.id
    assert things.listing(newcomer)["id"] > 2
    with copy.app_context():
        db.engine.dispose()


def test_a_target_with_rows_is_refused(app: Flask, world: Person, empty_urls: dict[str, str]) -> None:
    assert _copy(app, app.config["DATABASE_URL"], empty_urls["sqlite"])[0] == 0
    code, output = _copy(app, app.config["DATABASE_URL"], empty_urls["sqlite"])
    assert code == 1
    assert "The target is not empty" in output


def test_what_is_encrypted_is_encrypted_anew_with_the_keys_of_the_target(
    app: Flask, world: Person, empty_urls: dict[str, str]
) -> None:
    key = Fernet.generate_key().decode()
    with_key = make_app(app.config["DATABASE_URL"], ENCRYPTION_KEYS=key)
    code, output = _copy(with_key, app.config["DATABASE_URL"], empty_urls["sqlite"], "--source-keys", "")
    assert code == 0, output

    there = Person(make_app(empty_urls["sqlite"], ENCRYPTION_KEYS=key), token=world.token)
    talk = there.get("/api/messages/conversations").json["conversations"][0]
    assert (talk["last_message"]["content"], talk["subject"]["link"]) == (
        "Hello",
        f"/api/listings/{talk['listing_id']}",
    )
    assert there.get("/readyz").status_code == 200
    other = make_app(empty_urls["sqlite"]).test_client().get("/readyz")
    assert "messages.content" in other.json["parts"]["encryption"]


def test_without_the_keys_of_the_target_nothing_is_written(
    app: Flask, world: Person, empty_urls: dict[str, str], tmp_path: Path
) -> None:
    code, output = _copy(app, app.config["DATABASE_URL"], empty_urls["sqlite"], "--source-keys", "")
    assert (code, "ENCRYPTION_KEYS is empty" in output, list(tmp_path.iterdir())) == (1, True, [])


def test_a_source_with_other_keys_needs_them(
    world: Person, empty_urls: dict[str, str], tmp_path: Path, with_keys: Callable[..., Flask]
) -> None:
    keys, secret = [Fernet.generate_key().decode() for _ in range(2)], "d" * 40
    own = with_keys(derived_key(secret), derived_key(world.app.config["SECRET_KEY"]))
    own.test_cli_runner().invoke(args=["encryption", "rotate"])
    target, source = with_keys(keys[0], SECRET_KEY="p" * 40), own.config["DATABASE_URL"]

    code, output = _copy(target, source, empty_urls["sqlite"], "--source-keys", keys[1])
    assert (code, "SOURCE_SECRET_KEY" in output, list(tmp_path.iterdir())) == (1, True, [])
    assert "messages.content: no key of ENCRYPTION_KEYS opens 1 of its values" in output
    code, output = _copy(target, source, empty_urls["sqlite"], "--source-secret-key", secret)
    assert (code, "The copy is complete." in output) == (0, True)


def test_a_source_that_is_not_migrated_is_refused(app: Flask, tmp_path: Path, empty_urls: dict[str, str]) -> None:
    (tmp_path / "old.db").touch()
    code, output = _copy(app, f"sqlite:///{tmp_path / 'old.db'}", empty_urls["sqlite"])
    assert code == 1
    assert "migrate it first" in output


def test_a_source_that_is_not_there_is_not_made(app: Flask, tmp_path: Path, empty_urls: dict[str, str]) -> None:
    code, output = _copy(app, f"sqlite:///{tmp_path / 'none.db'}", empty_urls["sqlite"])
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert f"There is no database at {tmp_path / 'none.db'}." in output


def test_a_relative_path_starts_where_one_stands(
    app: Flask, world: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "instance").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _copy(app, app.config["DATABASE_URL"], "sqlite:///instance/one.db")[0] == 0
    assert _copy(app, "sqlite:///instance/one.db", "sqlite:///two.db")[0] == 0
    assert {path.name for path in tmp_path.rglob("*.db")} == {"one.db", "two.db"}
    assert Person(make_app("sqlite:///two.db"), token=world.token).get("/api/auth/profile").status_code == 200


def test_control_a_row_lost_on_the_way_is_noticed(
    app: Flask, world: Person, empty_urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copy_database._copy

    def forgetful(table: object, reading: object, writing: object) -> int:
        count = whole(table, reading, writing)  # type: ignore[arg-type]
        if getattr(table, "name", "") == "favorites":
            writing.execute(text("DELETE FROM favorites"))  # type: ignore[attr-defined]
        return count

    monkeypatch.setattr(copy_database, "_copy", forgetful)
    code, output = _copy(app, app.config["DATABASE_URL"], empty_urls["sqlite"])
    assert code == 1
    assert "DIFFERS" in output
