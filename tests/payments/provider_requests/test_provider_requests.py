"""Asking the provider: found before it is sent again, asked anew where it was not done, and not taken by others."""

from datetime import UTC, datetime, timedelta
from threading import Thread, get_ident
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, event, func, select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.payments import jobs, provider_sync
from marketplace.payments.models import Payment
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.provider_requests.queue import CALLS
from marketplace.payments.providers.fake.book import LINES, THINGS
from marketplace.payments.providers.provider import ProviderStatus
from marketplace.payments.reconciliation import service as reconciliation_service
from tests.factories import money, things
from tests.factories.people import Person, sign_up

A_DAY_LATER = timedelta(hours=25)


def _count(app: Flask, kind: str) -> int:
    with app.app_context():
        found = int(fetch(select(func.count()).where(THINGS.c.kind == kind))[0][0])
        db.session.remove()
    return found


def _inside(app: Flask, work: Any) -> Any:
    with app.app_context():
        found = in_transaction(work)
        db.session.remove()
    return found


def _a_day_later(app: Flask) -> None:
    with time_machine.travel(datetime.now(UTC) + A_DAY_LATER):
        money.work(app)


@pytest.mark.parametrize("kind", ["payment", "refund", "payout"])
def test_a_key_the_provider_has_forgotten_is_looked_up_first(
    app: Flask, anna: Person, juris: Person, kind: str
) -> None:
    method = {"payment": "create", "refund": "refund", "payout": "pay_out"}[kind]
    money.fake(app).faults.append((method, "answer lost"))
    if kind == "payment":
        money.pay(anna, things.assigned_task(anna, juris)["id"])
    elif kind == "refund":
        money.paid_task(anna, juris)
        task = juris.get("/api/tasks/my").json["tasks"][0]["id"]
        juris.post(f"/api/tasks/{task}/decline")
        money.work(app)
    else:
        money.finished_task(anna, juris, budget=40)
        money.onboard(juris)
        money.payout(juris, 36)
        money.work(app)
    _a_day_later(app)
    assert _count(app, kind) == 1


def test_what_was_sent_back_at_the_provider_is_not_paid_a_second_time(app: Flask, anna: Person, juris: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)
    name = _inside(app, lambda: fetch(select(Payment.provider_id).where(Payment.id == task["paid"]["id"]))[0][0])
    with app.app_context():
        money.fake(app).refund(name, amount_minor=4000, currency="EUR", key="by hand")
        db.session.remove()
    anna.post(f"/api/tasks/{task['id']}/cancel")
    money.work(app)

    assert anna.get(f"/api/payments/{task['paid']['id']}").json["refunds"][0]["status"] == "done"
    assert anna.get("/api/wallet").json["balances"][0]["available_minor"] == 0
    assert _count(app, "refund") == 1


@pytest.mark.parametrize(("by_hand", "times"), [(4000, 1), (1000, 2)])
def test_staff_take_over_what_was_sent_back_by_hand(
    app: Flask, anna: Person, juris: Person, admin: Person, by_hand: int, times: int
) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    _send_by_hand(app, payment, by_hand)
    for _ in range(times):
        taken_over = admin.post(f"/api/payments/{payment}/refund", {"amount": by_hand // 100}, **money.key())
        assert taken_over.status_code == 200
        money.work(app)
    found = anna.get(f"/api/payments/{payment}").json
    assert [one["status"] for one in found["refunds"]] == ["done"] * times
    assert _count(app, "refund") == times  # the second ten were sent: nobody had sent those


def test_of_two_refunds_the_one_that_is_refused_is_not_taken_for_the_other(
    app: Flask, anna: Person, juris: Person
) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    money.fake(app).faults.extend([("refund", "answer lost"), ("refund", "refused")])
    for _ in range(2):
        assert juris.post(f"/api/payments/{payment}/refund", {"amount": 10}, **money.key()).status_code == 200
    money.work(app)
    money.later(app)

    found = anna.get(f"/api/payments/{payment}").json["refunds"]
    assert sorted(one["status"] for one in found) == ["done", "failed"]
    assert _count(app, "refund") == 1
    assert money.balances(anna)["EUR"][0] == 1000


def test_what_is_called_off_while_it_is_processed_is_called_off_when_it_comes(
    app: Flask, anna: Person, juris: Person
) -> None:
    task = things.assigned_task(anna, juris, payment="escrow", budget=40)["id"]
    payment = anna.get("/api/payments", query_string={"task_id": task}).json["payments"][0]["id"]
    money.work(app)
    name = _inside(app, lambda: fetch(select(Payment.provider_id).where(Payment.id == payment))[0][0])
    _set(app, name, ProviderStatus.PROCESSING)
    with app.app_context():
        money.fake(app).faults.append(("cancel", "down"))
    anna.post(f"/api/tasks/{task}/cancel")
    money.work(app)
    _done_without_effect(app)
    _set(app, name, ProviderStatus.AUTHORIZED)
    _hear(app, payment, name)
    money.later(app)
    assert anna.get(f"/api/payments/{payment}").json["status"] == "cancelled"


def test_a_capture_that_was_kept_waiting_is_asked_for_again(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow", budget=40)["id"]
    payment = anna.get("/api/payments", query_string={"task_id": task}).json["payments"][0]["id"]
    money.work(app)
    name = _inside(app, lambda: fetch(select(Payment.provider_id).where(Payment.id == payment))[0][0])
    with app.app_context():
        money.fake(app).confirm(name, method=money.VISA, key="card")
        db.session.remove()
    with app.app_context():
        money.fake(app).faults.append(("capture", "down"))
    _hear(app, payment, name)
    money.work(app)
    _done_without_effect(app)
    _hear(app, payment, name)
    money.later(app)
    assert anna.get(f"/api/payments/{payment}").json["status"] == "held"


def test_calls_are_kept_for_whoever_makes_them_at_once(app: Flask, anna: Person, juris: Person) -> None:
    with app.app_context():
        with provider_requests_queue.reserved():
            number = in_transaction(lambda: provider_requests_queue.ask("cancel", "payment", 0, key="mine"))
        assert CALLS.claim() == []
        assert [row.id for row in CALLS.claim(number, ahead=provider_requests_queue.RESERVED_FOR)] == [number]
        in_transaction(lambda: execute(CALLS.table.delete()))
        db.session.remove()


def test_a_call_is_made_by_what_handles_its_kind_and_its_answer_is_recorded(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int]] = []
    for kind in ("look", "look again"):
        monkeypatch.setitem(provider_requests_queue.HANDLERS, kind, None)  # and gone again after the test

    @provider_requests_queue.handles("look", "look again")
    def look(row: Any) -> Any:
        return lambda: made.append((row.kind, row.subject_id))

    for kind in ("look", "look again"):
        _inside(app, lambda kind=kind: provider_requests_queue.ask(kind, "payment", 7, key=kind))
    money.work(app)
    assert made == [("look", 7), ("look again", 7)]


def _set(app: Flask, name: str, status: ProviderStatus) -> None:
    def work() -> None:
        data = fetch(select(THINGS.c.data).where(THINGS.c.name == name))[0].data
        execute(update(THINGS).where(THINGS.c.name == name).values(data={**data, "status": status.value}))

    _inside(app, work)


def _hear(app: Flask, payment: int, name: str) -> None:
    """As the reconciler does."""
    with app.app_context():
        state = money.fake(app).fetch_payment(name)
        in_transaction(lambda: provider_sync.apply_provider_state(payment, state))
        db.session.remove()


def _done_without_effect(app: Flask) -> None:
    """The provider took the call and did nothing yet."""
    _inside(app, lambda: execute(update(CALLS.table).values(done_at=datetime.now(UTC), error=None)))


@pytest.mark.parametrize("how", ["confirm", "cancel", "clock"])
def test_what_the_provider_has_forgotten_ends_and_can_be_begun_anew(
    app: Flask, anna: Person, juris: Person, how: str
) -> None:
    task = things.assigned_task(anna, juris, payment="escrow", budget=40)["id"]
    payment = anna.get("/api/payments", query_string={"task_id": task}).json["payments"][0]["id"]
    _inside(app, lambda: execute(delete(THINGS)))
    if how == "confirm":
        said = anna.post(f"/api/payments/{payment}/confirm", {"payment_method": money.VISA}, **money.key())
        assert said.json["message"] == "This payment is over and nothing was taken. Begin a new one."
    elif how == "cancel":
        anna.post(f"/api/tasks/{task}/cancel")
        money.work(app)
    else:
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
            money.clockwork(app, jobs.ask_about_payments)

    assert anna.get(f"/api/payments/{payment}").json["status"] == "cancelled"
    assert _inside(app, lambda: [CALLS.count(state) for state in ("waiting", "failed", "dead")]) == [0, 0, 0]
    if how != "cancel":
        assert money.pay(anna, task)["status"] == "held"


@pytest.mark.parametrize("by_hand", [[1000], [1000, 500], [3000, 1000]])
def test_what_was_sent_by_hand_is_a_part_of_what_goes_back(
    app: Flask, anna: Person, juris: Person, by_hand: list[int]
) -> None:
    task = money.paid_task(anna, juris, budget=40)
    _send_by_hand(app, task["paid"]["id"], *by_hand)
    anna.post(f"/api/tasks/{task['id']}/cancel")
    money.work(app)

    found = anna.get(f"/api/payments/{task['paid']['id']}").json
    rest = [4000 - sum(by_hand)] if sum(by_hand) < 4000 else []
    assert sorted(one["price_minor"] for one in found["refunds"]) == sorted([*by_hand, *rest])
    assert {one["status"] for one in found["refunds"]} == {"done"}
    assert anna.get("/api/wallet").json["balances"][0]["available_minor"] == 0


def test_more_by_hand_than_goes_back_here_waits_and_pays_nobody(app: Flask, anna: Person, juris: Person) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    _send_by_hand(app, payment, 3500)
    juris.post(f"/api/payments/{payment}/refund", {"amount": 10}, **money.key())
    money.work(app)
    assert [one["status"] for one in anna.get(f"/api/payments/{payment}").json["refunds"]] == ["pending"]
    assert {one["available_minor"] for one in anna.get("/api/wallet").json["balances"]} <= {0}

    _inside(app, _take_back_by_hand)
    money.later(app)
    assert [one["status"] for one in anna.get(f"/api/payments/{payment}").json["refunds"]] == ["done"]


def test_staff_accept_that_more_went_back_by_hand_and_it_goes_back_once(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    _send_by_hand(app, payment, 3500)
    juris.post(f"/api/payments/{payment}/refund", {"amount": 10}, **money.key())
    money.work(app)
    refund = anna.get(f"/api/payments/{payment}").json["refunds"][0]["id"]
    path = f"/api/admin/refunds/{refund}/accept"

    for person in (anna, juris):
        assert person.post(path, {}, **money.key()).status_code == 403
    assert admin.post(path, {}, **money.key()).status_code == 200
    money.work(app)
    found = anna.get(f"/api/payments/{payment}").json
    assert ([one["status"] for one in found["refunds"]], found["held_minor"]) == (["done", "done"], 500)
    assert found["refunded_minor"] == 3500
    assert admin.post(path, {}, **money.key()).status_code == 409
    money.later(app)
    day = (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1))
    assert _inside(app, lambda: reconciliation_service.compare(*day)) == []
    anna.post(f"/api/tasks/{found['task_id']}/cancel")
    money.later(app)
    back = anna.get(f"/api/payments/{payment}").json
    assert (back["refunded_minor"], {one["status"] for one in back["refunds"]}) == (4000, {"done"})
    assert money.balances(anna) == {"EUR": (0, 0, 0)}


@pytest.mark.parametrize("side", ["payer", "payee"])
def test_staff_accept_nothing_about_their_own_payment(
    app: Flask, anna: Person, juris: Person, admin: Person, side: str
) -> None:
    two = (admin, juris) if side == "payer" else (anna, admin)
    payment = money.paid_task(*two, budget=40)["paid"]["id"]
    refund = money.waiting_refund(app, sign_up(app, "other", role="admin"), payment)
    assert admin.post(f"/api/admin/refunds/{refund}/accept", {}, **money.key()).status_code == 403
    money.later(app)


def _take_back_by_hand() -> None:
    """It was a mistake, and the provider has the money again."""
    for table in (THINGS, LINES):
        execute(delete(table).where(table.c.key.startswith("by hand")))
    data = fetch(select(THINGS.c.data).where(THINGS.c.kind == "payment"))[0].data
    execute(update(THINGS).where(THINGS.c.kind == "payment").values(data={**data, "refunded_minor": 0}))


def _send_by_hand(app: Flask, payment: int, *amounts: int) -> None:
    name = _inside(app, lambda: fetch(select(Payment.provider_id).where(Payment.id == payment))[0][0])
    for number, amount in enumerate(amounts):
        with app.app_context():
            money.fake(app).refund(name, amount_minor=amount, currency="EUR", key=f"by hand {number}")
            db.session.remove()


def test_who_pays_while_accepting_is_not_overtaken_by_the_background(app: Flask, anna: Person, juris: Person) -> None:
    task = things.task(anna, budget=40)["id"]
    accept = f"/api/tasks/{task}/applications/{things.application(juris, task)['id']}/accept"
    here, taken = get_ident(), list[int]()

    def background() -> None:
        with app.app_context():
            taken.append(provider_requests_handlers.call_due())
            db.session.remove()

    def look(_: Any) -> None:
        if get_ident() == here:
            thread = Thread(target=background)
            thread.start()
            thread.join()

    event.listen(db.session, "after_commit", look)
    try:
        paid = anna.post(accept, {"price": 40, "payment_method": money.VISA}).json["task"]
    finally:
        event.remove(db.session, "after_commit", look)
    assert (len(taken) > 2, sum(taken)) == (True, 0)
    assert anna.get(f"/api/payments/{paid['payment_id']}").json["status"] == "held"
