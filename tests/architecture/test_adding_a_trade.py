"""The trade of docs/adding-a-trade.md, built from the page and used."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from marketplace import wiring
from marketplace.cli.handbook import DOCS
from marketplace.core.db import Base, db, in_transaction
from tests.conftest import make_app
from tests.factories.people import sign_up

FILES = re.compile(r"## \d+\. `gifts/(\w+)\.py`.*?```python\n(.*?)```", re.S)


@pytest.fixture
def trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application with one more slice, made of the page's blocks."""
    page = (DOCS / "adding-a-trade.md").read_text(encoding="utf-8")
    folder = tmp_path / "gifts"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, code in FILES.findall(page):
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    routes = importlib.import_module("gifts.routes")
    monkeypatch.setattr(wiring, "BLUEPRINTS", (*wiring.BLUEPRINTS, routes.bp))
    app = make_app(f"sqlite:///{tmp_path / 'trade.db'}")
    with app.app_context():
        in_transaction(lambda: Base.metadata.create_all(db.session.connection()))
    yield app
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith("gifts")]:
        del sys.modules[name]
    Base.metadata.remove(Base.metadata.tables["gifts"])


def test_six_files_and_a_list_make_a_trade(trade: Flask) -> None:
    anna, juris = sign_up(trade, "anna"), sign_up(trade, "juris")

    made = anna.post("/api/gifts", json={"title": "Jam jars"})
    gift_id = made.json["id"]
    assert made.headers["Location"] == f"/api/gifts/{gift_id}"
    assert juris.get("/api/gifts").json["gifts"][0]["available_actions"] == ["take"]
    assert juris.post(f"/api/gifts/{gift_id}/take").json["gift"]["status"] == "taken"
    assert juris.post(f"/api/gifts/{gift_id}/take").status_code == 409
    assert anna.post("/api/gifts", json={}).json["errors"] == {"title": ["This is missing."]}
    assert "/api/gifts/{gift_id}/take" in trade.test_client().get("/openapi.json").json["paths"]


def test_the_page_shows_as_many_files_as_the_house_says() -> None:
    page = (DOCS / "adding-a-trade.md").read_text(encoding="utf-8")
    names = {name for name, _ in FILES.findall(page)}
    assert names == {"lifecycle", "models", "policy", "queries", "service", "schemas", "routes"}
