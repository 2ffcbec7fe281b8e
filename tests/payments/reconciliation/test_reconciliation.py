"""The books against themselves and against the provider's, and what an administrator does about them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, insert, select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.kit.clock import now
from marketplace.payments import jobs as money_jobs
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.ledger.service import TRANSFERS
from marketplace.payments.models import Discrepancy, Payment, Payout
from marketplace.payments.provider_requests.queue import CALLS_TABLE
from marketplace.payments.providers.fake.book import LINES
from marketplace.payments.providers.provider import ProviderError
from marketplace.payments.reconciliation import service as reconciliation_service
from tests.conftest import make_app
from tests.factories import money, things
from tests.factories.people import PASSWORD, Person

EARLIER = timedelta(hours=2)
NOWHERE = "http://127.0.0.1:9"
STRIPE_KEYS = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x", "STRIPE_API_URL": NOWHERE}


def _in_app(app: Flask, work: Any) -> Any:
    with app.app_context():
        found = in_transaction(work)
        db.session.remove()
    return found


def _age_everything() -> None:
    """As if it had been yesterday: what is fresh is not compared yet."""
    execute(update(LINES).values(made_at=now() - EARLIER))
    execute(update(Payment).values(captured_at=Payment.captured_at))
    execute(update(Payment).where(Payment.captured_at.is_not(None)).values(captured_at=now() - EARLIER))


def _breaks(admin: Person, **query: Any) -> list[dict[str, Any]]:
    return list(admin.get("/api/admin/ledger/breaks", query_string=query).json["breaks"])


def test_a_line_that_we_do_not_know_is_a_break_until_it_is_gone(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    money.paid_task(anna, juris, budget=40)
    strange = {"about": "payment", "name": "pi_strange", "key": "x", "amount_minor": 77, "currency": "EUR"}
    _in_app(app, lambda: execute(insert(LINES), {**strange, "made_at": now()}))
    _in_app(app, _age_everything)

    money.clockwork(app, money_jobs.compare_books)
    found = _breaks(admin)
    assert [(one["subject"], one["ours_minor"], one["theirs_minor"]) for one in found] == [
        ("fake payment pi_strange", 0, 77)
    ]
    _in_app(app, lambda: execute(delete(LINES).where(LINES.c.name == "pi_strange")))
    money.clockwork(app, money_jobs.compare_books)
    assert _breaks(admin) == []
    assert [one["closed_at"] is None for one in _breaks(admin, open="false")] == [False]


def test_a_break_stays_until_it_is_looked_at_and_gone_however_long_that_is(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    strange = {"about": "payment", "name": "pi_strange", "key": "x", "amount_minor": 77, "currency": "EUR"}
    _in_app(app, lambda: execute(insert(LINES), {**strange, "made_at": now() - EARLIER}))
    with time_machine.travel(now(), tick=False) as clock:
        for days in (0, 2, 2, 30):
            clock.shift(timedelta(days=days))
            money.clockwork(app, money_jobs.compare_books)
            assert [one["subject"] for one in _open(app)] == ["fake payment pi_strange"]
        other = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="stripe", **STRIPE_KEYS)
        with pytest.raises(ProviderError):  # nobody is there, so nothing is compared and nothing closed
            money.clockwork(other, money_jobs.compare_books)
        _in_app(other, lambda: reconciliation_service.keep([], ("provider",)))
        assert len(_open(app)) == 1
        _in_app(app, lambda: execute(delete(LINES)))
        money.clockwork(app, money_jobs.compare_books)
    assert _open(app) == []


def test_what_comes_back_days_later_is_no_break(app: Flask, anna: Person, juris: Person) -> None:
    money.finished_task(anna, juris, budget=40)
    money.onboard(juris)
    payout = money.payout(juris, 36)["id"]
    money.work(app)
    with time_machine.travel(now(), tick=True) as clock:
        clock.shift(timedelta(days=5))
        name = _in_app(app, lambda: fetch(select(Payout.provider_id).where(Payout.id == payout))[0][0])
        with app.app_context():
            money.fake(app).return_payout(name)
            db.session.remove()
        money.work(app)
        clock.shift(EARLIER)
        money.clockwork(app, money_jobs.compare_books)
    assert _open(app) == []
    assert money.balances(juris)["EUR"][0] == 3600


def test_two_clocks_need_not_agree_where_the_window_begins(app: Flask, anna: Person, juris: Person) -> None:
    money.paid_task(anna, juris, budget=40)
    line, ours = _in_app(
        app, lambda: (fetch(select(LINES.c.made_at))[0][0], fetch(select(TRANSFERS.c.created_at))[0][0])
    )
    assert line < ours
    with app.app_context():
        found = reconciliation_service.compare(line + (ours - line) / 2, now() + EARLIER)
        db.session.remove()
    assert found == []


def test_a_finding_keeps_its_age_while_it_grows(app: Flask) -> None:
    for many in ("(1: a)", "(2: a, b)", "(2: b, a)"):
        grown = reconciliation_service.Difference(kind="ledger", subject=f"ledger: something {many}")
        _in_app(app, lambda grown=grown: reconciliation_service.keep([grown], ("ledger",)))
    rows = _in_app(app, lambda: fetch(select(Discrepancy.subject, Discrepancy.closed_at)))
    _in_app(app, lambda: execute(delete(Discrepancy)))
    assert [tuple(row) for row in rows] == [("ledger: something (2: b, a)", None)]


def _open(app: Flask) -> list[dict[str, Any]]:
    rows = _in_app(app, lambda: fetch(select(Discrepancy.subject).where(Discrepancy.closed_at.is_(None))))
    return [dict(row._mapping) for row in rows]


def test_what_the_provider_does_not_know_is_a_break(app: Flask, anna: Person, juris: Person) -> None:
    money.paid_task(anna, juris, budget=40)
    line = dict(_in_app(app, lambda: fetch(select(LINES))[0])._mapping)
    _in_app(app, lambda: execute(delete(LINES)))

    with app.app_context():
        found = reconciliation_service.compare(now() - EARLIER, now() + EARLIER)
        db.session.remove()
    _in_app(app, lambda: execute(insert(LINES), line))
    assert [(one.ours_minor, one.theirs_minor) for one in found] == [(4000, 0)]


def test_a_finding_in_our_own_books_freezes_payouts_and_not_the_shop(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    money.finished_task(anna, juris, budget=40)
    money.onboard(juris)
    fees = LedgerAccount.purpose == "fees"
    _in_app(app, lambda: execute(update(LedgerAccount).where(fees).values(balance_minor=401)))
    money.clockwork(app, money_jobs.prove_ledger)

    assert admin.get("/api/admin/ledger").json["is_frozen"]
    waiting = money.payout(juris, 36)["id"]
    money.work(app)
    assert juris.get(f"/api/payouts/{waiting}").json["status"] == "requested"
    assert money.paid_task(anna, juris, budget=10)["paid"]["status"] == "held"

    _in_app(app, lambda: execute(update(LedgerAccount).where(fees).values(balance_minor=400)))
    money.clockwork(app, money_jobs.prove_ledger)
    assert not admin.get("/api/admin/ledger").json["is_frozen"]
    _in_app(app, lambda: execute(update(CALLS_TABLE).values(due_at=now())))
    money.work(app)
    assert juris.get(f"/api/payouts/{waiting}").json["status"] == "paid"
    _in_app(app, lambda: execute(delete(Discrepancy)))


def test_a_suspicious_payout_waits_for_an_administrator(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    money.finished_task(anna, juris, budget=5000)
    money.onboard(juris)
    held = money.payout(juris, 4000)["id"]
    money.work(app)

    assert juris.get(f"/api/payouts/{held}").json["status"] == "on_hold"
    waiting = admin.get("/api/admin/payouts", query_string={"status": "on_hold"}).json["payouts"]
    assert [(one["id"], one["score"], one["reasons"]) for one in waiting] == [
        (held, 60, ["the account is new", "the first payout", "a large sum"])
    ]
    assert juris.post(f"/api/admin/payouts/{held}/approve", **money.key()).status_code == 403
    assert admin.post(f"/api/admin/payouts/{held}/approve", **money.key()).status_code == 200
    assert admin.post(f"/api/admin/payouts/{held}/approve", **money.key()).status_code == 409
    money.work(app)
    assert juris.get(f"/api/payouts/{held}").json["status"] == "paid"


def test_a_payout_can_be_taken_back_while_it_waits(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    money.finished_task(anna, juris, budget=5000)
    money.onboard(juris)
    held = money.payout(juris, 4000)["id"]

    assert stranger.post(f"/api/payouts/{held}/cancel", **money.key()).status_code == 404
    assert juris.post(f"/api/payouts/{held}/cancel", **money.key()).status_code == 200
    assert juris.post(f"/api/payouts/{held}/cancel", **money.key()).status_code == 409
    assert money.balances(juris) == {"EUR": (450000, 0, 0)}


def test_a_closed_bank_puts_the_money_back(app: Flask, anna: Person, juris: Person) -> None:
    money.finished_task(anna, juris, budget=40)
    money.onboard(juris, country="ZZ")
    payout = money.payout(juris, 36)["id"]
    money.work(app)

    found = juris.get(f"/api/payouts/{payout}").json
    assert (found["status"], found["failure"]) == ("failed", "The bank account is closed.")
    assert money.balances(juris) == {"EUR": (3600, 0, 0)}


def test_nobody_leaves_with_money_in_here(anna: Person, juris: Person) -> None:
    money.finished_task(anna, juris, budget=40)

    answer = juris.delete("/api/auth/account", json={"password": PASSWORD})
    assert (answer.status_code, answer.json["code"]) == (409, "money_left")


def test_an_operator_sees_breaks_among_the_figures(app: Flask, database: str) -> None:
    watched = make_app(app.config["DATABASE_URL"], METRICS_TOKEN="t" * 20)
    subject = {"kind": "provider", "subject": "x", "active_reference": "provider:x", "currency": "EUR"}
    amounts = {"ours_minor": 1, "theirs_minor": 0, "found_at": now() - timedelta(hours=1), "seen_at": now()}
    _in_app(app, lambda: execute(insert(Discrepancy), {**subject, **amounts}))

    text = watched.test_client().get("/metrics", headers={"Authorization": f"Bearer {'t' * 20}"}).text
    assert 'marketplace_ledger_breaks{kind="provider"} 1.0' in text
    age = next(line for line in text.splitlines() if 'break_oldest_seconds{kind="provider"}' in line)
    assert 3599 < float(age.split()[-1]) < 3700
    assert 'marketplace_queue_rows{queue="provider_calls",state="waiting"} 0.0' in text


def test_the_calendar_pays_out_what_is_worth_it(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    money.finished_task(anna, juris, budget=40)
    money.finished_task(anna, stranger, budget=1)
    for person in (juris, stranger):
        money.onboard(person)
    daily = make_app(app.config["DATABASE_URL"], PAYOUT_SCHEDULE="daily")
    money.clockwork(daily, money_jobs.pay_out_by_calendar)
    money.work(app)

    assert [one["origin"] for one in juris.get("/api/payouts").json["payouts"]] == ["schedule"]
    assert money.balances(juris) == {"EUR": (0, 0, 0)}
    assert money.balances(stranger) == {"EUR": (90, 0, 0)}
    assert things.task(anna)["payment"] == "outside"
