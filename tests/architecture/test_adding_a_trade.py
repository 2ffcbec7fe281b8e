"""The trade of docs/adding-a-trade.md, built from the page and used; and how many files it touches."""

import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import text

import marketplace
from marketplace import events, wiring
from marketplace.cli.audit import findings
from marketplace.cli.handbook import DOCS, pages
from marketplace.core.database.db import Base, db, execute, in_transaction
from marketplace.core.queues.outbox import relay
from marketplace.privacy.data_inventory import register
from marketplace.privacy.erasure import erase_rest
from marketplace.privacy.export_archive import pack
from tests.conftest import make_app
from tests.factories.people import Person, sign_up

FILES = re.compile(r"## \d+\. `([\w./]+)`.*?\n```\w+\n(.*?)```", re.S)
NUMBERS = count()
FOLDER = "marketplace/gifts/"
PAGE = (DOCS / "adding-a-trade.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application with one more slice, made of the page's files and of nothing else; a model is imported once."""
    root = tmp_path_factory.mktemp("trade")
    for name, code in FILES.findall(PAGE):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    (root / FOLDER / "__init__.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        for package in (marketplace, events):
            beside = root.joinpath(*package.__name__.split("."))
            patch.setattr(package, "__path__", [*package.__path__, str(beside)])
        entry = {"SLICES": wiring.SLICES}
        exec((root / "marketplace/wiring.py").read_text(encoding="utf-8"), entry)
        patch.setattr(wiring, "SLICES", entry["SLICES"])
        app = make_app(f"sqlite:///{root / 'trade.db'}")
        with app.app_context():
            flask_migrate.upgrade()
            in_transaction(lambda: _migrate(root))
        yield app
    _forget()


def _migrate(root: Path) -> None:
    context = MigrationContext.configure(db.session.connection())
    with Operations.context(context):
        _migration(root).upgrade()


def _migration(root: Path) -> ModuleType:
    found = next((root / "migrations/versions").glob("*.py"))
    module = ModuleType(found.stem)
    exec(found.read_text(encoding="utf-8"), vars(module))
    return module


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith(("marketplace.gifts", "marketplace.events.gifts"))]:
        del sys.modules[name]
    for parent, name in ((marketplace, "gifts"), (events, "gifts")):
        vars(parent).pop(name, None)
    Base.metadata.remove(Base.metadata.tables["gifts"])


@pytest.fixture
def anna(trade: Flask) -> Person:
    """Who gives things away."""
    return sign_up(trade, f"anna{next(NUMBERS)}")


@pytest.fixture
def juris(trade: Flask) -> Person:
    """Who takes them."""
    return sign_up(trade, f"juris{next(NUMBERS)}")


def offered(owner: Person, title: str = "Jam jars") -> int:
    """A gift's id."""
    made = owner.post("/api/gifts", json={"title": title})
    assert made.headers["Location"] == f"/api/gifts/{made.json['id']}"
    return int(made.json["id"])


def test_a_new_trade_touches_wiring_a_migration_and_its_facts_and_no_other_file() -> None:
    names = [name for name, _ in FILES.findall(PAGE)]
    outside = [re.sub(r"\d{4}_gifts", "…", name) for name in names if not name.startswith(FOLDER)]

    assert sorted(outside) == ["marketplace/events/gifts.py", "marketplace/wiring.py", "migrations/versions/….py"]
    assert len(outside) <= 4
    rooms = {name.removeprefix(FOLDER) for name in names if name.startswith(FOLDER)}
    standard = {"manifest", "lifecycle", "models", "policy", "queries", "service", "schemas", "routes", "invariants"}
    assert rooms == {*(f"{room}.py" for room in standard), "personal.toml"}


def test_it_is_used_over_http(trade: Flask, anna: Person, juris: Person) -> None:
    gift_id = offered(anna)

    assert juris.get("/api/gifts").json["gifts"][0]["available_actions"] == ["take"]
    assert juris.post(f"/api/gifts/{gift_id}/take").json["gift"]["status"] == "taken"
    assert juris.post(f"/api/gifts/{gift_id}/take").status_code == 409
    assert anna.post("/api/gifts", json={}).json["errors"] == {"title": ["This is missing."]}
    document = trade.test_client().get("/openapi.json").json
    assert "/api/gifts/{gift_id}/take" in document["paths"]
    assert "gifts" in document["components"]["schemas"]["FavoriteCounts"]["properties"]


def test_it_is_a_favorite_until_it_is_gone(trade: Flask, anna: Person, juris: Person) -> None:
    gift_id = offered(anna)

    assert juris.post("/api/favorites", json={"item_type": "gift", "item_id": gift_id}).json["is_favorited"]
    assert juris.get("/api/favorites").json["favorites"][0]["item"]["title"] == "Jam jars"
    assert juris.get("/api/favorites/count").json["gifts"] == 1
    anna.post(f"/api/gifts/{gift_id}/withdraw")
    with trade.app_context():
        relay()
    assert juris.get("/api/favorites/count").json == {"total": 0, "tasks": 0, "offerings": 0, "listings": 0, "gifts": 0}
    assert juris.delete(f"/api/favorites/item/gift/{gift_id}").status_code == 404


def test_two_talk_about_it(anna: Person, juris: Person) -> None:
    gift_id = offered(anna)
    body = {"user_id": anna.id, "subject_kind": "gift", "subject_id": gift_id}
    talk = juris.post("/api/messages/conversations", json=body).json["conversation"]
    assert talk["subject"] == {"title": "Jam jars", "link": f"/api/gifts/{gift_id}"}


def test_a_key_opens_it_with_its_scope(anna: Person) -> None:
    def made_with(scope: str) -> int:
        key = anna.post("/api/auth/api-keys", json={"name": "robot", "scopes": [scope]}).json["key"]
        answer = Person(anna.app).call("POST", "/api/gifts", headers={"X-API-Key": key}, json={"title": "Jars"})
        return int(answer.status_code)

    assert (made_with("gifts:write"), made_with("gifts:read")) == (201, 403)


def test_the_auditor_knows_its_rules_and_its_histories(trade: Flask, anna: Person, juris: Person) -> None:
    first, second = offered(anna), offered(anna)
    juris.post(f"/api/gifts/{first}/take")
    with trade.app_context():
        assert findings() == []
        in_transaction(lambda: execute(text(f"UPDATE gifts SET taker_id = NULL WHERE id = {first}")))
        in_transaction(lambda: execute(text(f"UPDATE gifts SET status = 'withdrawn' WHERE id = {second}")))
        said = findings()
        in_transaction(lambda: execute(text("DELETE FROM gifts")))

    assert any(line.startswith("gifts: taken by nobody") for line in said)
    assert f"gift {second}: it is withdrawn, its history says offered" in said


def test_what_is_personal_is_exported_and_erased(trade: Flask, anna: Person, juris: Person) -> None:
    gift_id = offered(anna, "Jars of my grandmother")
    with trade.app_context():
        assert register()["gifts"].columns == {column.name for column in Base.metadata.tables["gifts"].c}
        file = io.BytesIO()
        pack(anna.id, file, lambda done, total: None)
        exported = json.loads(zipfile.ZipFile(file).read("gifts.json"))
        in_transaction(lambda: execute(text(f"UPDATE users SET is_active = false WHERE id = {anna.id}")))
        erase_rest(anna.id)
        left = db.session.execute(text(f"SELECT title, status FROM gifts WHERE id = {gift_id}")).one()

    assert [row["title"] for row in exported] == ["Jars of my grandmother"]
    assert tuple(left) == ("", "withdrawn")


def test_the_migration_builds_what_the_models_say(trade: Flask) -> None:
    with trade.app_context():
        options = {"include_name": lambda name, kind, _: kind != "table" or name == "gifts", "compare_type": True}
        context = MigrationContext.configure(db.session.connection(), opts=options)
        only = [one for one in compare_metadata(context, Base.metadata) if "gifts" in repr(one)]
    assert only == []


def test_the_handbook_and_the_linter_learn_of_it(trade: Flask) -> None:
    said = pages(wiring.SLICES)

    assert "## Gift\n" in said["lifecycles.md"]
    assert "| GiftGone |" in said["events.md"]
    assert "    marketplace.gifts | marketplace.listings | " in said["../.importlinter"]
    assert "    marketplace.gifts\n" in said["../.importlinter"]
