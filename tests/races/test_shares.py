"""Two who want something of the same payment, or of what was earned by it, in each other's way at every statement."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.cli.audit import findings
from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.payments import service
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.reconciliation import service as reconciliation_service
from tests.conftest import BEGINNING
from tests.factories import money
from tests.factories.carts import begun, purchase
from tests.factories.money import fake, key
from tests.factories.people import Person, sign_up
from tests.races.interleave import Work, meetings

NUMBERS = count(1)
OFTEN = 8  # every so many statements; each of them with INTERLEAVE_EVERY=1


def inside(app: Flask, work: Callable[[], Any]) -> Any:
    """Within the application."""
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


def verb(app: Flask, name: str, *args: Any) -> Work:
    """A verb of payments, in a transaction of its own."""
    return lambda: inside(app, lambda: in_transaction(lambda: getattr(service, name)(*args)))


def dispute(app: Flask, payment_id: int, *, won: bool | None = None) -> Work:
    """What a chargeback's webhook leads to; the bank has opened it before, and decided where `won` says so."""

    def prepare() -> Work:
        row = fetch(text(f"SELECT provider_id FROM payments WHERE id = {payment_id}"))[0]
        name = fake(app).dispute(row.provider_id)
        if won is not None:
            fake(app).decide(name, won=won)
        state = fake(app).fetch_chargeback(name)
        return lambda: inside(app, lambda: in_transaction(lambda: chargebacks_service.apply_state(payment_id, state)))

    prepared: Work = inside(app, prepare)
    return prepared


def after(app: Flask) -> list[str]:
    """What is wrong once everything is done."""
    money.later(app)

    def look() -> list[str]:
        compared = reconciliation_service.compare(BEGINNING, datetime.now(UTC) + timedelta(days=1))
        return [*findings(), *map(str, compared)]

    found: list[str] = inside(app, look)
    return found


def expect_order(
    app: Flask, prepare: Callable[[], tuple[Work, Work]], allowed: tuple[type[Exception], ...] = ()
) -> None:
    """Whatever the order, nobody breaks and the books are right."""
    met = list(meetings(app, prepare, every=OFTEN))
    assert met
    wrong = [one for one in met for error in (one.first, one.rival) if error]
    assert wrong == []
    assert after(app) == []


def test_two_shares_are_refunded_at_once(app: Flask, anna: Person, juris: Person) -> None:
    zane = sign_up(app, "zane")
    payments: list[int] = []

    def prepare() -> tuple[Work, Work]:
        first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
        payments.append(begun(app, [first, second]))
        path = f"/api/payments/{payments[-1]}/refund"
        return lambda: juris.post(path, {}, **key()), lambda: zane.post(path, {}, **key())

    expect_order(app, prepare)
    stands = [anna.get(f"/api/payments/{payment}").json for payment in payments]
    assert {(one["status"], one["refunded_minor"]) for one in stands} == {("refunded", 4000)}


@pytest.mark.parametrize("won", [None, True, False])
def test_a_release_meets_a_chargeback(app: Flask, anna: Person, juris: Person, won: bool | None) -> None:
    payments: list[int] = []

    def prepare() -> tuple[Work, Work]:
        bought = purchase(anna, juris, 1000)
        payments.append(begun(app, [bought]))
        return verb(app, "release", bought.reference), dispute(app, payments[-1], won=won)

    expect_order(app, prepare)
    stands = {anna.get(f"/api/payments/{payment}").json["status"] for payment in payments}
    assert stands <= {None: {"held", "released"}, True: {"released"}, False: {"refunded"}}[won]


def test_a_dispute_meets_the_confirmation(app: Flask, anna: Person, juris: Person) -> None:
    def prepare() -> tuple[Work, Work]:
        task = money.paid_task(anna, juris, budget=40)["id"]
        for step in ("start", "done"):
            assert juris.post(f"/api/tasks/{task}/{step}").status_code == 200
        body = {"deal": f"task:{task}", "reason": "quality", "description": "The sofa has a hole in it now, look."}
        return lambda: anna.post("/api/disputes", body), lambda: anna.post(f"/api/tasks/{task}/confirm")

    expect_order(app, prepare)
    stands = inside(app, lambda: [tuple(row) for row in fetch(text(BY_STAGE))])
    assert set(stands) <= {("disputed", "held"), ("completed", "released")}


BY_STAGE = "SELECT d.stage, s.status FROM deals d JOIN payment_shares s ON s.reference = d.reference"


def test_a_payout_meets_the_chargeback_of_what_it_pays_out(app: Flask, anna: Person, juris: Person) -> None:
    money.onboard(juris)

    def prepare() -> tuple[Work, Work]:
        bought = purchase(anna, juris, 10_000)
        payment = begun(app, [bought])
        verb(app, "release", bought.reference)()
        body = {"amount": 90, "currency": "EUR"}
        return lambda: juris.post("/api/payouts", body, **key()), dispute(app, payment, won=False)

    expect_order(app, prepare)


def test_two_payouts_never_take_what_is_frozen(app: Flask, anna: Person) -> None:
    def prepare() -> tuple[Work, Work]:
        seller = sign_up(app, f"seller{next(NUMBERS)}")
        money.onboard(seller)
        payments = []
        for _ in range(2):
            bought = purchase(anna, seller, 10_000)
            payments.append(begun(app, [bought]))
            verb(app, "release", bought.reference)()
        dispute(app, payments[0])()
        pay = partial(seller.post, "/api/payouts", {"amount": 50, "currency": "EUR"})
        return lambda: pay(**key()), lambda: pay(**key())

    for met in meetings(app, prepare, every=OFTEN):
        assert (met.first, met.rival) == (None, None)
    sent = inside(app, lambda: fetch(text("SELECT SUM(amount_minor) AS sent FROM payouts GROUP BY user_id")))
    assert {row.sent for row in sent} == {5000}


def test_control_without_the_lock_on_the_person_more_is_paid_out_than_is_free(
    app: Flask, anna: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database == "sqlite":
        pytest.skip("one writer at a time is the lock there")
    monkeypatch.setattr("marketplace.payments.wallets.service.hold", lambda user_id: None)
    with pytest.raises(AssertionError):
        test_two_payouts_never_take_what_is_frozen(app, anna)
