"""Amounts that are none, other people's money, and moments that are wrong: refused, and nothing moves."""

from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.core.database.db import InUse, db, execute, fetch, in_transaction
from tests.factories import things
from tests.factories.money import VISA, key
from tests.factories.people import Person
from tests.races.stage import Stage

DECLINES_LATER = "pm_card_captureDeclined"
NO_AMOUNTS = ("-1", "-0.01", "NaN", "Infinity", "1e400", str(2**63), "abc", "true", '"NaN"', '"-Infinity"', "[]", "{}")
NO_AMOUNTS += ("10.001", '"10.001"', "0.001", "1e-30", '"1e1000000"')


def send(person: Person, path: str, body: str) -> Any:
    """A body as it is, under a new key."""
    headers = key()["headers"]
    return person.call("POST", path, data=body, content_type="application/json", headers=headers)


@pytest.fixture
def stage(app: Flask, anna: Person, juris: Person) -> Stage:
    """A task whose money is held."""
    one = Stage(app, anna, juris).set_up()
    one.pay(until="held")
    return one


@pytest.fixture
def released(stage: Stage) -> Stage:
    """A task whose worker was paid and has a bank."""
    stage.finish()
    stage.inside(lambda: stage.act(stage.owner, "confirm"))
    assert stage.worker.post("/api/payouts/onboarding", {"country": "LV"}).status_code == 200
    return stage


def transfers(app: Flask) -> int:
    """How often money moved."""
    with app.app_context():
        try:
            return int(fetch(text("SELECT COUNT(*) FROM ledger_transfers"))[0][0])
        finally:
            db.session.remove()


@pytest.mark.parametrize("path", ["/api/payments/{}/refund", "/api/payments/tasks/{}/refund", "/api/payouts"])
def test_what_is_no_amount_is_refused(app: Flask, released: Stage, path: str) -> None:
    before = transfers(app)
    where = path.format(released.task if "tasks" in path else released.payment)
    for amount in (*NO_AMOUNTS, "0"):
        answer = send(released.worker, where, f'{{"amount": {amount}, "currency": "EUR"}}')
        assert answer.status_code in {400, 422}, (amount, answer.json)
    assert transfers(app) == before


def test_amounts_fit_the_decimals_of_their_currency(app: Flask, released: Stage) -> None:
    for amount, currency in ((1.5, "JPY"), (1.0001, "KWD"), (10.123, "EUR"), (10, "XXX"), (10, "eur"), (10, "EURO")):
        answer = released.worker.post("/api/payouts", {"amount": amount, "currency": currency}, **key())
        assert answer.status_code == 422, (amount, currency, answer.json)
    for currency in ("JPY", "KWD", "USD"):
        answer = released.worker.post("/api/payouts", {"amount": 10, "currency": currency}, **key())
        assert (answer.status_code, answer.json["code"]) == (409, "not_enough"), currency


def test_a_price_is_exact_in_every_currency(anna: Person, juris: Person) -> None:
    for currency, budget, minor in (("JPY", 4001, 4001), ("KWD", 40.125, 40125), ("EUR", 40.01, 4001)):
        task = things.assigned_task(anna, juris, budget=budget, currency=currency)["id"]
        quote = anna.get(f"/api/payments/tasks/{task}/quote").json
        assert (quote["price_minor"], quote["fee_minor"] + quote["payee_minor"]) == (minor, minor)
    for currency, budget in (("JPY", 40.5), ("KWD", 40.1255), ("EUR", 40.001), ("EUR", -1), ("EUR", 1e13)):
        body = {"title": "Sofa", "description": "Up.", "category": "moving", "location": "", "budget": budget}
        assert anna.post("/api/tasks", {**body, **things.RIGA, "currency": currency}).status_code == 422, budget


def test_what_it_costs_and_who_gets_it_is_never_the_clients_word(anna: Person, juris: Person, stranger: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40, payment="escrow")["id"]
    wishes = {"amount": 0.01, "price_minor": 1, "currency": "JPY", "fee": 0, "fee_minor": 0, "payee_minor": 4000}
    wishes |= {
        "payee_id": stranger.id,
        "payer_id": stranger.id,
        "status": "held",
        "provider_id": "pi_1",
        "discount": 39,
    }
    answer = anna.post("/api/payments", {"task_id": task, **wishes}, **key())
    if answer.status_code == 422:  # unknown fields may be refused as well
        answer = anna.post("/api/payments", {"task_id": task}, **key())
    payment = answer.json["payment"]
    said = [
        payment[name] for name in ("price_minor", "fee_minor", "payee_minor", "payee_id", "payer_id", "discount_minor")
    ]
    assert said == [4000, 400, 3600, juris.id, anna.id, 0]
    assert (payment["currency"], payment["status"]) == ("EUR", "requires_payment_method")


def test_other_peoples_money_is_nowhere(app: Flask, released: Stage, stranger: Person) -> None:
    payout = released.worker.post("/api/payouts", {"amount": 5, "currency": "EUR"}, **key()).json["id"]
    before = transfers(app)
    payment, task = f"/api/payments/{released.payment}", f"/api/payments/tasks/{released.task}"
    for person, path in ((stranger, payment), (stranger, f"{payment}/receipt"), (stranger, f"/api/payouts/{payout}")):
        assert person.get(path).status_code == 404, path
    assert released.owner.get(f"/api/payouts/{payout}").status_code == 404
    for path in (f"{payment}/confirm", f"{payment}/refund", f"{task}/refund", f"/api/payouts/{payout}/cancel"):
        assert stranger.post(path, {}, **key()).status_code == 404, path
    assert released.owner.post(f"/api/payouts/{payout}/cancel", **key()).status_code == 404
    assert stranger.post("/api/payments", {"task_id": released.task}, **key()).status_code == 403
    assert stranger.post(f"{task}/release-payment", **key()).status_code == 403
    assert stranger.get("/api/payments").json["total"] == 0
    assert stranger.get("/api/wallet").json["balances"] == []
    assert transfers(app) == before


def test_only_whoever_was_paid_gives_back_and_no_more_than_there_is(app: Flask, stage: Stage) -> None:
    path = f"/api/payments/{stage.payment}/refund"
    assert stage.owner.post(path, {"amount": 1}, **key()).status_code == 403
    assert stage.worker.post(path, {"amount": 40.01}, **key()).status_code == 422
    assert stage.worker.post(path, {"amount": 30}, **key()).status_code == 200
    assert stage.worker.post(path, {"amount": 10.01}, **key()).status_code == 422
    assert stage.worker.post(path, {}, **key()).json["payment"]["status"] == "refunded"
    assert stage.worker.post(path, {"amount": 0.01}, **key()).status_code == 409


def test_a_payment_that_is_over_cannot_be_confirmed(stage: Stage) -> None:
    stage.inside(lambda: stage.act(stage.owner, "cancel"))
    stage.rest()
    answer = stage.owner.post(f"/api/payments/{stage.payment}/confirm", {"payment_method": VISA}, **key())
    assert answer.status_code == 409
    assert stage.worker.post(f"/api/payments/{stage.payment}/confirm", {}, **key()).status_code == 403


def test_a_card_that_declines_after_the_hold_pays_for_nothing_and_another_one_does(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    first = anna.post("/api/payments", {"task_id": task, "price": 40, "payment_method": DECLINES_LATER}, **key()).json[
        "payment"
    ]
    assert (first["status"], bool(first["failure"])) == ("failed", True)
    refused = juris.post(f"/api/tasks/{task}/start")
    assert (refused.status_code, refused.json["code"]) == (409, "not_paid")
    confirmed = anna.post(f"/api/payments/{first['id']}/confirm", {"payment_method": VISA}, **key())
    assert confirmed.status_code == 409
    second = anna.post("/api/payments", {"task_id": task, "price": 40, "payment_method": VISA}, **key()).json["payment"]
    assert (second["status"], second["id"] != first["id"]) == ("held", True)
    assert juris.post(f"/api/tasks/{task}/start").status_code == 200


CHANGES = ("UPDATE ledger_transfers SET amount_minor = amount_minor + 1", "DELETE FROM ledger_transfers")
CHANGES += ("UPDATE ledger_transfers SET kind = kind", "DELETE FROM ledger_transfers WHERE id > 0")
OTHERS = {
    "sqlite": """INSERT OR REPLACE INTO ledger_transfers SELECT id, key || 'x', debit_id, credit_id, currency,
    amount_minor + 1, debit_after, credit_after, kind, reference, subject, created_at FROM ledger_transfers""",
    "postgres": "TRUNCATE ledger_transfers",
}


def test_what_was_booked_cannot_be_changed_by_anybody(app: Flask, released: Stage, database: str) -> None:
    before = released.inside(lambda: fetch(text("SELECT * FROM ledger_transfers ORDER BY id")))
    for statement in (*CHANGES, OTHERS[database]):
        with pytest.raises((DBAPIError, InUse)):
            released.inside(partial(in_transaction, partial(execute, text(statement))))
    assert released.inside(lambda: fetch(text("SELECT * FROM ledger_transfers ORDER BY id"))) == before


def test_every_line_of_a_statement_says_what_there_was_then(app: Flask, released: Stage, admin: Person) -> None:
    worker = released.worker
    for amount, is_kept in ((5, True), (7, False), (24, True)):
        made = worker.post("/api/payouts", {"amount": amount, "currency": "EUR"}, **key()).json["id"]
        if not is_kept:
            assert worker.post(f"/api/payouts/{made}/cancel", **key()).status_code == 200
    assert worker.post(f"/api/payments/{released.payment}/refund", {"amount": 20}, **key()).status_code == 409
    released.rest()
    assert admin.post(f"/api/payments/{released.payment}/refund", {"amount": 20}, **key()).status_code == 200
    released.rest()
    lines = worker.get("/api/wallet/transactions?per_page=100").json["transactions"][::-1]
    have = 0
    for line in lines:
        have += line["price_minor"]
        assert line["balance_minor"] == have, line
    assert [line["price_minor"] for line in lines] == [3600, -500, -700, 700, -2400, -1800]
    assert worker.get("/api/wallet").json["balances"][0]["available_minor"] == have == -1100
