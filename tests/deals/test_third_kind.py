"""A trade of some lines is paid, disputed, reviewed, talked about and audited, without a line elsewhere."""

import importlib
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import flask_migrate
import pytest
from flask import Flask

from marketplace import wiring
from marketplace.auth.models import User
from marketplace.cli.audit import findings
from marketplace.core.database.db import Base, db, in_transaction
from marketplace.core.queues.outbox import relay
from tests.conftest import DATABASES, make_app
from tests.factories import money
from tests.factories.databases import empty_database
from tests.factories.people import Person, sign_up

NAME = "tests.deals.errand_trade"
MOST_LINES = 80
NUMBERS = count()
SAID = {"reason": "other", "description": "Nobody went to the shop."}


@pytest.fixture(scope="module")
def trade() -> Iterator[ModuleType]:
    """The trade's module; its table is known while these tests run."""
    module = importlib.import_module(NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "SLICES", (*wiring.SLICES, module.ERRANDS))
        yield module
    Base.metadata.remove(Base.metadata.tables["errands"])
    Base.registry._dispose_cls(module.Errand)
    del sys.modules[NAME]


@pytest.fixture(scope="module", params=DATABASES)
def app(
    trade: ModuleType, request: pytest.FixtureRequest, urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """An application with this trade, on a database of its own."""
    url = empty_database(request.param, urls, tmp_path_factory.mktemp("errands"), "errands")
    app = make_app(url)
    with app.app_context():
        flask_migrate.upgrade()
        Base.metadata.tables["errands"].create(db.engine)
    yield app
    with app.app_context():
        db.session.remove()
        assert findings() == []
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def anna(app: Flask) -> Person:
    """Who asks."""
    return sign_up(app, f"anna{next(NUMBERS)}")


@pytest.fixture
def juris(app: Flask) -> Person:
    """Who goes."""
    return sign_up(app, f"juris{next(NUMBERS)}")


def asked(trade: ModuleType, anna: Person, juris: Person) -> int:
    """An errand's id."""
    with anna.app.app_context():
        made = in_transaction(lambda: _ask(trade, anna.id, juris.id))
        db.session.remove()
    return made


def _ask(trade: ModuleType, client_id: int, runner_id: int) -> int:
    client = db.session.get_one(User, client_id)
    return int(trade.ask(client, runner_id, title="Fetch bread", price_minor=4000).id)


def inside(app: Flask, work: Any) -> None:
    """In a transaction; what it published is told."""
    with app.app_context():
        in_transaction(work)
        relay()
        db.session.remove()


def paid(anna: Person, errand: int) -> dict[str, Any]:
    """Its money is held."""
    body = {"price": 40, "currency": "EUR", "payment_method": money.VISA}
    answer = anna.post(f"/api/deals/errand:{errand}/payments", body, **money.key())
    assert (answer.status_code, answer.json["payment"]["status"]) == (201, "held"), answer.json
    return dict(answer.json["payment"])


def test_it_is_a_deal_that_is_paid_and_completed(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    (listed,) = juris.get("/api/deals", query_string={"kind": "errand"}).json["deals"]
    assert (listed["reference"], listed["stage"], listed["side"]) == (f"errand:{errand}", "agreed", "provider")
    assert listed["link"] == f"/api/errands/{errand}"

    body = {"price": 40, "payment_method": money.VISA}
    assert juris.post(f"/api/deals/errand:{errand}/payments", body, **money.key()).status_code == 403
    wrong = {"price": 39, "currency": "EUR", "payment_method": money.VISA}
    assert anna.post(f"/api/deals/errand:{errand}/payments", wrong, **money.key()).status_code == 409
    paid(anna, errand)
    again = anna.post(f"/api/deals/errand:{errand}/payments", {}, **money.key())
    assert again.status_code == 409
    inside(anna.app, lambda: trade.finish(errand))

    assert money.balances(juris)["EUR"][:2] == (3600, 0)
    deal = anna.get(f"/api/deals/errand:{errand}").json
    assert (deal["stage"], deal["completed_at"] is None, deal["held"]) == ("completed", False, None)
    assert anna.get(f"/api/auth/users/{juris.id}").json["completed_tasks"] == 1
    steps = anna.get(f"/api/deals/errand:{errand}/timeline").json["timeline"]
    assert ("errand", "run", "client") in {(step["about"], step["to_state"], step["by"]) for step in steps}


def test_it_is_reviewed_by_its_name_and_without_one(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    paid(anna, errand)
    review = {"reviewed_user_id": juris.id, "rating": 5, "deal": f"errand:{errand}"}
    assert anna.post("/api/reviews", review).status_code == 403
    inside(anna.app, lambda: trade.finish(errand))
    (waiting,) = anna.get(f"/api/reviews/can-review-user/{juris.id}").json["reviewable_transactions"]
    assert (waiting["deal"], waiting["type"], waiting["id"]) == (f"errand:{errand}", "errand", errand)
    written = anna.post("/api/reviews", review).json["review"]
    assert (written["deal"], written["task_id"], written["review_type"]) == (
        f"errand:{errand}",
        None,
        "client_to_worker",
    )
    assert juris.post("/api/reviews", {"reviewed_user_id": anna.id, "rating": 4}).status_code == 201


@pytest.mark.parametrize(("minor", "ended"), [(0, "cancelled"), (1000, "completed")])
def test_it_is_disputed_and_settled(trade: ModuleType, anna: Person, juris: Person, minor: int, ended: str) -> None:
    errand = asked(trade, anna, juris)
    paid(anna, errand)
    opened = anna.post("/api/disputes", {"deal": f"errand:{errand}", **SAID})
    assert opened.status_code == 201, opened.json
    assert (opened.json["dispute"]["task_id"], opened.json["dispute"]["held_minor"]) == (None, 4000)
    path = f"/api/disputes/{opened.json['id']}"
    made = juris.post(f"{path}/offers", {"amount": minor / 100}).json["dispute"]["offers"][0]["id"]
    assert anna.post(f"{path}/offers/{made}/accept", **money.key()).status_code == 200
    money.work(anna.app)
    deal = juris.get(f"/api/deals/errand:{errand}").json
    assert (deal["stage"], deal["held"]) == (ended, None)
    assert money.balances(juris).get("EUR", (0, 0, 0))[0] == minor * 9 // 10


def test_disputed_at_the_trade_itself_a_file_is_opened(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    inside(anna.app, lambda: trade.dispute(db.session.get_one(User, juris.id), errand))
    (listed,) = anna.get("/api/disputes").json["disputes"]
    assert (listed["deal"], listed["against_id"]) == (f"errand:{errand}", anna.id)
    assert juris.post(f"/api/disputes/{listed['id']}/withdraw").status_code == 200
    assert anna.get(f"/api/deals/errand:{errand}").json["stage"] == "agreed"


def test_its_sides_exchange_addresses(trade: ModuleType, anna: Person, juris: Person) -> None:
    body = {"user_id": juris.id, "message": "Call me: 29123456"}
    talk = anna.post("/api/messages/conversations", body).json
    said = f"/api/messages/conversations/{talk['conversation']['id']}/messages"
    masked = anna.post(said, {"content": "Call me: 29123456"}).json
    asked(trade, anna, juris)
    clear = anna.post(said, {"content": "Call me: 29123456"}).json
    assert ("29123456" in str(masked), "29123456" in str(clear)) == (False, True)


def test_it_is_small() -> None:
    assert len(Path(__file__).with_name("errand_trade.py").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
