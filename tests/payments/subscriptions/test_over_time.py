"""What months do to a subscription: renewals, cards that stop working, changes, ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.fake.book import NOTICES, THINGS
from marketplace.payments.providers.provider import Paid
from marketplace.payments.subscriptions.provider_sync import apply_subscription_state
from marketplace.payments.webhooks import service as webhooks_service
from tests.factories.people import Person, sign_up
from tests.payments.subscriptions.conftest import MINE, ONCE, VISA, begun, mine, paid, subscribe, told

pytestmark = pytest.mark.usefixtures("plans_of_these_tests")

Settle = Callable[[], None]
Clock = time_machine.Traveller
MONTH = timedelta(days=28, hours=1)  # from 31 January to the last of February, and a little


@pytest.fixture
def ilze(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody whose sign-in lasts for years."""
    monkeypatch.setitem(app.config, "JWT_ACCESS_TOKEN_EXPIRES", 3000 * 86_400)
    return sign_up(app, "ilze")


def _provider_id(app: Flask) -> str:
    with app.app_context():
        found = str(fetch(text("SELECT provider_id FROM subscriptions ORDER BY id DESC"))[0][0])
        db.session.remove()
    return found


def test_a_renewal_is_booked_once_however_often_it_is_told(
    app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any
) -> None:
    begun(ilze)
    settle()
    for _ in range(3):
        clock.shift(timedelta(days=31))
        settle()
    with app.app_context():
        rows = [row for row in fetch(NOTICES.table.select()) for _ in range(3)]
        Random(7).shuffle(rows)
        for number, row in enumerate(rows):
            body = fake.body_of(row).replace(row.event_id.encode(), f"evt_again_{number}".encode())
            assert webhooks_service.receive("fake", fake.signed(body), body)
            assert not webhooks_service.receive("fake", fake.signed(body), body)
        db.session.remove()
    settle()

    assert paid(ilze) == [4999] * 4
    numbers = [one["number"] for one in ilze.get(f"{MINE}/receipts").json["receipts"]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert told(ilze) == ["plan_started", *["plan_renewed"] * 3]
    assert mine(ilze)["status"] == "active"


def test_without_webhooks_it_is_asked_about(app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any) -> None:
    begun(ilze)
    settle()
    clock.shift(MONTH)
    with app.app_context():
        fake.renew_due()
        in_transaction(lambda: execute(NOTICES.table.delete()))
        db.session.remove()
    settle()

    assert paid(ilze) == [4999] * 2
    assert mine(ilze)["period_end"].startswith("2031-03-31")


def test_a_card_that_stops_working_has_days_of_grace(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze, method=ONCE)
    settle()
    clock.shift(MONTH)
    settle()

    late = mine(ilze)
    assert (late["status"], late["unlocks"]) == ("past_due", ["start_conversations"])
    assert late["grace_until"].startswith("2031-03-07")
    assert subscribe(ilze, "premium").status_code == 409
    clock.shift(timedelta(days=6))
    settle()
    assert mine(ilze)["unlocks"] == ["start_conversations"]
    clock.shift(timedelta(days=1, hours=1))
    assert mine(ilze)["unlocks"] == []
    settle()
    assert mine(ilze) is None
    assert (paid(ilze), told(ilze)) == ([4999], ["plan_started", "plan_past_due", "plan_ended"])
    assert begun(ilze)["status"] == "active"


def test_a_new_card_within_the_grace_saves_it(
    app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any
) -> None:
    begun(ilze, method=ONCE)
    clock.shift(MONTH)
    settle()
    with app.app_context():
        fake.give_card(_provider_id(app), VISA)
        db.session.remove()
    settle()

    saved = mine(ilze)
    assert (saved["status"], saved["grace_until"], paid(ilze)) == ("active", None, [4999] * 2)
    assert told(ilze) == ["plan_started", "plan_past_due", "plan_renewed"]


def test_a_plan_without_grace_ends_with_its_card(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze, "premium", ONCE)
    clock.shift(MONTH)
    settle()
    assert mine(ilze) is None


def test_an_end_at_the_end_of_what_is_paid(app: Flask, ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze)
    for _ in range(2):
        answer = ilze.delete(MINE)
        assert answer.status_code == 200
        assert answer.json["subscription"]["cancel_at_period_end"]
    settle()
    assert subscribe(ilze, "premium").status_code == 409
    clock.shift(timedelta(days=27))
    settle()
    assert mine(ilze)["unlocks"] == ["start_conversations"]
    clock.shift(timedelta(days=1, minutes=1))
    assert mine(ilze)["unlocks"] == []
    settle()
    assert (mine(ilze), paid(ilze), told(ilze)) == (None, [4999], ["plan_started", "plan_ended"])


def test_an_end_now(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze)
    ended = ilze.delete(f"{MINE}?now=true").json["subscription"]
    assert (ended["status"], ended["unlocks"]) == ("ended", [])
    assert mine(ilze) is None
    clock.shift(timedelta(days=90))
    settle()
    assert paid(ilze) == [4999]
    assert ilze.delete(MINE).status_code == 404


@pytest.mark.parametrize("fault", ["answer lost", "down", "refused"])
def test_an_end_the_provider_did_not_answer_is_asked_again(
    ilze: Person, clock: Clock, settle: Settle, fake: Any, fault: str
) -> None:
    begun(ilze)
    fake.faults.append(("end_subscription", fault))
    assert ilze.delete(f"{MINE}?now=true").json["subscription"]["status"] == "active"
    clock.shift(timedelta(minutes=1))
    settle()
    assert mine(ilze) is None


def test_an_end_that_was_refused_comes_before_the_next_month_is_paid(
    ilze: Person, clock: Clock, settle: Settle, fake: Any
) -> None:
    begun(ilze)
    fake.faults.append(("end_subscription", "refused"))
    assert ilze.delete(MINE).json["subscription"]["cancel_at_period_end"]
    clock.shift(timedelta(minutes=1))
    settle()
    clock.shift(MONTH)
    settle()
    assert (mine(ilze), paid(ilze)) == (None, [4999])


def test_what_begins_again_after_its_end_is_ended_again(
    app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any
) -> None:
    begun(ilze)
    name = _provider_id(app)
    ilze.delete(f"{MINE}?now=true")
    for _ in range(2):
        with app.app_context():
            in_transaction(lambda: fake._changed(fake._thing("subscription", name), "updated", status="active"))
            db.session.remove()
        settle()
        with app.app_context():
            assert fake.fetch_subscription(name).status is Paid.ENDED
            db.session.remove()
    assert (mine(ilze), paid(ilze)) == (None, [4999])


def test_what_the_provider_has_forgotten_is_over(
    app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any
) -> None:
    begun(ilze, method=None)
    with app.app_context():
        in_transaction(lambda: execute(THINGS.delete()))
        db.session.remove()
    clock.shift(timedelta(days=2))
    settle()
    assert mine(ilze) is None
    assert begun(ilze)["status"] == "active"


def test_a_dearer_plan_is_paid_by_the_day(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze)
    clock.shift(timedelta(days=10, hours=1))  # 17 whole days of 28 are left
    changed = begun(ilze, "premium")
    settle()

    old, new = 3035, 6068  # 49.99 × 17/28 = 30.351…, 99.95 × 17/28 = 60.683…
    assert (changed["plan"], changed["price_minor"], changed["next_plan"]) == ("premium", 9995, None)
    assert changed["period_end"].startswith("2031-02-28")
    assert paid(ilze) == [new - old, 4999]
    clock.shift(timedelta(days=20))
    settle()
    assert paid(ilze) == [9995, new - old, 4999]


def test_a_cheaper_plan_uses_up_what_was_paid(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze, "premium")
    clock.shift(timedelta(days=10, hours=1))
    begun(ilze)
    assert paid(ilze) == [9995]
    clock.shift(timedelta(days=20))
    settle()
    assert paid(ilze) == [4999 - (6068 - 3035), 9995]


def test_another_interval_begins_anew(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze)
    clock.shift(timedelta(days=10, hours=1))
    changed = begun(ilze, "yearly")
    assert changed["period_end"].startswith("2032-02-10")
    assert paid(ilze) == [48_000 - 3035, 4999]
    clock.shift(timedelta(days=366))
    settle()
    assert paid(ilze) == [48_000, 48_000 - 3035, 4999]


def test_a_change_that_is_declined_leaves_the_old_plan(ilze: Person, clock: Clock) -> None:
    begun(ilze, method=ONCE)
    kept = begun(ilze, "premium")
    assert (kept["plan"], kept["next_plan"], kept["failure"]) == ("client-hunter", None, "Your card was declined.")
    assert paid(ilze) == [4999]


def test_a_change_keeps_its_currency(ilze: Person) -> None:
    begun(ilze)
    assert subscribe(ilze, "badge").status_code == 422


@pytest.mark.parametrize("fault", ["answer lost", "down"])
def test_a_change_the_provider_did_not_answer_is_made_once(
    ilze: Person, clock: Clock, settle: Settle, fake: Any, fault: str
) -> None:
    begun(ilze)
    fake.faults.append(("change_plan", fault))
    waiting = begun(ilze, "premium")
    assert (waiting["plan"], waiting["next_plan"]) == ("client-hunter", "premium")
    clock.shift(timedelta(minutes=1))
    settle()
    assert (mine(ilze)["plan"], mine(ilze)["next_plan"], len(paid(ilze))) == ("premium", None, 2)


def test_what_nobody_pays_in_a_day_is_given_up(ilze: Person, clock: Clock, settle: Settle) -> None:
    begun(ilze, method=None)
    clock.shift(timedelta(hours=23))
    settle()
    assert mine(ilze)["status"] == "incomplete"
    clock.shift(timedelta(hours=2))
    settle()
    assert (mine(ilze), paid(ilze), told(ilze)) == (None, [], [])


def test_a_key_is_not_sent_again_after_a_day(ilze: Person, clock: Clock, settle: Settle, fake: Any) -> None:
    fake.faults.append(("subscribe", "answer lost"))
    begun(ilze)
    clock.shift(timedelta(hours=24))
    fake.faults.append(("subscribe", "down"))  # would be used up if it were asked again
    settle()
    assert (mine(ilze)["status"], fake.faults, len(paid(ilze))) == ("active", [("subscribe", "down")], 1)


@pytest.mark.parametrize("fault", ["answer lost", "down"])
def test_what_the_provider_did_not_answer_is_asked_again(
    ilze: Person, clock: Clock, settle: Settle, fake: Any, fault: str
) -> None:
    fake.faults.append(("subscribe", fault))
    found = begun(ilze)
    assert (found["status"], subscribe(ilze).json["code"]) == ("created", "under_way")
    clock.shift(timedelta(minutes=1))
    settle()
    assert (mine(ilze)["id"], mine(ilze)["status"], paid(ilze)) == (found["id"], "active", [4999])


@pytest.mark.parametrize(("fault", "cost"), [("answer lost", [4999]), ("down", [])])
def test_stopped_before_the_provider_answered(
    ilze: Person, clock: Clock, settle: Settle, fake: Any, fault: str, cost: list[int]
) -> None:
    fake.faults.append(("subscribe", fault))
    begun(ilze)
    assert ilze.delete(MINE).status_code == 200
    clock.shift(timedelta(minutes=1))
    settle()
    assert (mine(ilze), paid(ilze)) == (None, cost)


def test_a_process_that_dies_before_it_asks_is_outlived(
    ilze: Person, clock: Clock, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(provider_requests_handlers, "call_now", lambda *_: 1 / 0)
        assert subscribe(ilze, key="k").status_code == 500
    assert mine(ilze)["status"] == "created"
    clock.shift(timedelta(minutes=1))
    settle()
    assert (mine(ilze)["status"], paid(ilze), subscribe(ilze, key="k").json["code"]) == ("active", [4999], "has_plan")


def test_all_who_hear_of_a_renewal_at_once_book_it_once(app: Flask, ilze: Person, clock: Clock, fake: Any) -> None:
    known = begun(ilze)["id"]
    name = _provider_id(app)
    clock.shift(MONTH)
    with app.app_context():
        fake.renew_due()
        state = fake.fetch_subscription(name)
        db.session.remove()

    def hear(_: int) -> None:
        with app.app_context():
            subscription_states(known, state)
            db.session.remove()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(hear, range(24)))
    assert paid(ilze) == [4999, 4999]
    assert mine(ilze)["period_end"].startswith("2031-03-31")


def test_old_news_change_nothing(app: Flask, ilze: Person, clock: Clock, settle: Settle, fake: Any) -> None:
    begun(ilze)
    name = _provider_id(app)
    with app.app_context():
        before = fake.fetch_subscription(name)
        db.session.remove()
    clock.shift(MONTH)
    settle()
    now_on = mine(ilze)
    with app.app_context():
        subscription_states(now_on["id"], before)
        db.session.remove()
    assert mine(ilze) == now_on
    ilze.delete(f"{MINE}?now=true")
    with app.app_context():
        subscription_states(now_on["id"], before)
        db.session.remove()
    assert mine(ilze) is None


def subscription_states(subscription_id: int, state: Any) -> None:
    """As a webhook would bring it."""
    in_transaction(lambda: apply_subscription_state(subscription_id, state))
