"""A trade of some lines is paid, disputed, reviewed, talked about and audited, without a line elsewhere."""

import importlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import flask_migrate
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace import wiring
from marketplace.auth.models import User
from marketplace.cli.audit import findings
from marketplace.core.database.db import Base, db, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.kit.errors import Problem
from marketplace.notifications.deliveries.service import deliver_due
from marketplace.notifications.models import Delivery
from tests.conftest import DATABASES, make_app
from tests.deals.moves import BY_ITSELF, allowed, out_of_step
from tests.factories import money
from tests.factories.databases import empty_database
from tests.factories.people import Person, sign_up

NAME = "tests.deals.errand_trade"
MOST_LINES = 80
NUMBERS = count()
TALKS = "/api/messages/conversations"
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


def clock(app: Flask, job: str, **later: float) -> None:
    """A job of the clock, so much later; who it concerns is told, by mail too."""
    with time_machine.travel(datetime.now(UTC) + timedelta(**later)), app.app_context():
        in_transaction(lambda: jobs.enqueue(job))
        jobs.run_due()
        while sum((relay(), deliver_due())):
            pass
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
    inside(anna.app, lambda: trade.finish(errand, actor_id=anna.id))

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
    inside(anna.app, lambda: trade.finish(errand, actor_id=anna.id))
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


def test_the_clock_confirms_what_its_client_does_not(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    paid(anna, errand)
    inside(anna.app, lambda: trade.moved(errand, "deliver", juris.id))
    deal = anna.get(f"/api/deals/errand:{errand}").json
    waits = datetime.fromisoformat(deal["confirms_at"]) - datetime.fromisoformat(deal["delivered_at"])
    assert (deal["stage"], waits) == ("delivered", timedelta(days=2))

    clock(anna.app, "confirm_deals", hours=47)
    assert anna.get(f"/api/deals/errand:{errand}").json["stage"] == "delivered"
    clock(anna.app, "confirm_deals", hours=49)

    deal = anna.get(f"/api/deals/errand:{errand}").json
    assert (deal["stage"], deal["confirms_at"], deal["held"]) == ("completed", None, None)
    assert money.balances(juris)["EUR"][0] == 3600
    steps = anna.get(f"/api/deals/errand:{errand}/timeline").json["timeline"]
    assert ("errand", "finish", "system") in {(step["about"], step["verb"], step["by"]) for step in steps}


def test_what_cannot_be_confirmed_does_not_hold_up_the_rest(trade: ModuleType, anna: Person, juris: Person) -> None:
    unpaid, errand = asked(trade, anna, juris), asked(trade, anna, juris)
    paid(anna, errand)
    for one in (unpaid, errand):
        inside(anna.app, lambda one=one: trade.moved(one, "deliver", juris.id))
    clock(anna.app, "confirm_deals", hours=49)
    stages = [anna.get(f"/api/deals/errand:{one}").json["stage"] for one in (unpaid, errand)]
    assert stages == ["delivered", "completed"]


def test_whoever_has_not_rated_it_is_reminded_and_led_to_it(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    paid(anna, errand)
    inside(anna.app, lambda: trade.finish(errand, actor_id=anna.id))
    assert anna.post("/api/reviews", {"reviewed_user_id": juris.id, "rating": 5}).status_code == 201
    for days in (4, 5):
        clock(anna.app, "remind_of_reviews", days=days)

    told = {
        person.id: person.get("/api/notifications?type=review_reminder").json["notifications"]
        for person in (anna, juris)
    }
    (reminder,) = told[juris.id]
    assert (told[anna.id], reminder["related_type"], reminder["related_id"]) == ([], "errand", errand)
    assert "Fetch bread" in reminder["title"]
    with anna.app.app_context():
        mine = (Delivery.user_id == juris.id, Delivery.kind == "review_reminder")
        shown = db.session.scalars(select(Delivery.shown).where(*mine)).all()
        db.session.remove()
    assert [f"/errands/{errand}" in str(letter) for letter in shown] == [True]


def test_disputed_at_the_trade_itself_a_file_is_opened(trade: ModuleType, anna: Person, juris: Person) -> None:
    errand = asked(trade, anna, juris)
    inside(anna.app, lambda: trade.moved(errand, "dispute", juris.id))
    (listed,) = anna.get("/api/disputes").json["disputes"]
    assert (listed["deal"], listed["against_id"]) == (f"errand:{errand}", anna.id)
    assert juris.post(f"/api/disputes/{listed['id']}/withdraw").status_code == 200
    assert anna.get(f"/api/deals/errand:{errand}").json["stage"] == "agreed"


WAYS: dict[str, tuple[str, ...]] = {
    "asked": (),
    "back": ("deliver",),
    "run": ("deliver", "finish"),
    "disputed": ("dispute",),
    "dropped": ("dispute", "annul"),
}
"""How an errand comes to be in each of its states."""


@pytest.mark.parametrize("state", WAYS)
def test_everybody_does_to_it_what_its_table_allows_and_nothing_else(
    trade: ModuleType, anna: Person, juris: Person, state: str
) -> None:
    stranger = sign_up(anna.app, f"stranger{next(NUMBERS)}")
    roles = {"client": anna.id, "runner": juris.id, "stranger": stranger.id, "system": None}
    wrong, errand = {}, _in_state(trade, anna, juris, state)
    for verb in trade.ERRAND_LIFECYCLE.moves:
        for role, actor_id in roles.items():
            expected = allowed(trade.ERRAND_LIFECYCLE, state, verb, {role})
            answered = _tried(anna.app, partial(_act, trade, errand, verb, actor_id))
            found = _out_of_step(trade, anna.app, errand, None if expected == 200 else state)
            if answered != expected or found:
                wrong[verb, role] = (answered, expected, found)
            if expected == 200:
                errand = _in_state(trade, anna, juris, state)
    assert wrong == {}


def test_each_of_its_states_is_tried(trade: ModuleType) -> None:
    assert set(WAYS) == trade.ERRAND_LIFECYCLE.states


def _in_state(trade: ModuleType, anna: Person, juris: Person, state: str) -> int:
    errand = asked(trade, anna, juris)
    paid(anna, errand)
    for verb in WAYS[state]:
        by = {"deliver": juris.id, "annul": None}.get(verb, anna.id)
        assert _tried(anna.app, partial(_act, trade, errand, verb, by)) == 200
    assert not _out_of_step(trade, anna.app, errand, state)
    return errand


def _act(trade: ModuleType, errand: int, verb: str, actor_id: int | None) -> None:
    """By the verbs of its kind, which move the money too; what these never let people do, by the table itself."""
    if verb == "finish":
        trade.finish(errand, actor_id=actor_id)
    elif actor_id is None and verb in BY_ITSELF:
        BY_ITSELF[verb](trade.KIND, errand)
    else:
        trade.moved(errand, verb, actor_id)


def _tried(app: Flask, work: Any) -> int:
    """What it is answered. Nobody hears of it meanwhile: a file about a dispute is closed by its own verbs."""
    with app.app_context():
        try:
            in_transaction(work)
        except Problem as problem:
            return problem.status
        finally:
            db.session.remove()
    return 200


def _out_of_step(trade: ModuleType, app: Flask, errand: int, state: str | None) -> str:
    with app.app_context():
        db.session.rollback()
        found = out_of_step(db.session.get_one(trade.Errand, errand), state)
        db.session.remove()
    return found


def test_its_sides_talk_about_it_and_nobody_else(
    app: Flask, trade: ModuleType, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    errand = asked(trade, anna, juris)
    about = {"subject_kind": "errand", "subject_id": errand}
    talk = juris.post(TALKS, {"user_id": anna.id, **about, "message": "Which bread?"}).json["conversation"]
    assert (talk["subject_kind"], talk["subject_id"], talk["task_id"]) == ("errand", errand, None)
    assert talk["subject"] == {"title": "Fetch bread", "link": f"/api/errands/{errand}"}
    again = anna.post(TALKS, {"user_id": juris.id, **about})
    assert (again.status_code, again.json["id"]) == (200, talk["id"])
    (listed,) = anna.get(TALKS, query_string=about).json["conversations"]
    assert listed["subject"] == talk["subject"]

    stranger = sign_up(app, f"stranger{next(NUMBERS)}")
    refused = stranger.post(TALKS, {"user_id": anna.id, **about})
    assert (refused.status_code, "errand" in refused.json["detail"]) == (404, True)
    monkeypatch.setitem(app.extensions, "slices", app.extensions["slices"][:-1])  # the trade is gone
    with app.app_context():
        assert f"conversations: about a errand that does not exist (1: {talk['id']})" in findings()
        db.session.remove()


def test_its_sides_exchange_addresses(trade: ModuleType, anna: Person, juris: Person) -> None:
    body = {"user_id": juris.id, "message": "Call me: 29123456"}
    talk = anna.post(TALKS, body).json
    said = f"{TALKS}/{talk['conversation']['id']}/messages"
    masked = anna.post(said, {"content": "Call me: 29123456"}).json
    asked(trade, anna, juris)
    clear = anna.post(said, {"content": "Call me: 29123456"}).json
    assert ("29123456" in str(masked), "29123456" in str(clear)) == (False, True)


def test_it_is_small() -> None:
    assert len(Path(__file__).with_name("errand_trade.py").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
