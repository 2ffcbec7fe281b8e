"""Payments that the payer's bank disputes: nothing moves until it has decided, and then each cent is accounted for."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from marketplace.core.database.db import db
from marketplace.payments import jobs as money_jobs
from marketplace.payments import service
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.reconciliation import service as reconciliation_service
from tests.conftest import BEGINNING
from tests.factories import money, things
from tests.factories.carts import begun, do, purchase
from tests.factories.money import balances, clockwork, fake, finished_task, key, onboard, paid_task, payout, work
from tests.factories.people import Person, sign_up
from tests.factories.things import upload
from tests.payments.shares.test_shares import ledger, rows, shown

FEE = 1500


def dispute(app: Flask, payment_id: int) -> str:
    """The payer's bank takes all of it back; the chargeback's name at the provider."""
    name = rows(app, f"SELECT provider_id FROM payments WHERE id = {payment_id}")[0][0]
    with app.app_context():
        found = fake(app).dispute(name)
        db.session.remove()
    work(app)
    return found


def decide(app: Flask, name: str, *, won: bool) -> None:
    """The bank has decided."""
    with app.app_context():
        fake(app).decide(name, won=won)
        db.session.remove()
    work(app)


def books_agree(app: Flask) -> bool:
    """Whether the provider's report and ours say the same."""
    with app.app_context():
        found = reconciliation_service.compare(BEGINNING, datetime.now(UTC) + timedelta(days=1))
        db.session.remove()
    return found == []


def finish(owner: Person, worker: Person, task_id: int) -> None:
    """The work is done and confirmed."""
    for person, verb in ((worker, "start"), (worker, "done"), (owner, "confirm")):
        assert person.post(f"/api/tasks/{task_id}/{verb}").status_code == 200


@pytest.mark.parametrize("won", [True, False])
def test_work_confirmed_meanwhile_is_paid_once_the_bank_has_decided(
    app: Flask, anna: Person, juris: Person, admin: Person, won: bool
) -> None:
    task = paid_task(anna, juris, budget=40)
    for verb in ("start", "done"):
        assert juris.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
    name = dispute(app, task["paid"]["id"])

    assert anna.post(f"/api/tasks/{task['id']}/confirm").status_code == 200
    assert balances(juris) == {"EUR": (0, 4000, 0)}
    refused = juris.post(f"/api/payments/{task['paid']['id']}/refund", {}, **key())
    assert (refused.status_code, refused.json["code"]) == (409, "chargeback_open")
    assert shown(juris, task["paid"]["id"])["is_disputed_by_bank"] is True
    assert ledger(app) == {"provider": -4000 + 4000 + FEE, "disputed": -4000, "escrow": 4000, "losses": -FEE}
    decide(app, name, won=won)
    assert balances(juris) == ({"EUR": (3600, 0, 0)} if won else {})
    assert shown(anna, task["paid"]["id"])["status"] == ("released" if won else "refunded")
    assert books_agree(app)


def test_work_does_not_begin_on_money_that_a_bank_disputes(app: Flask, anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    name = dispute(app, task["paid"]["id"])

    refused = juris.post(f"/api/tasks/{task['id']}/start")
    assert (refused.status_code, refused.json["code"]) == (409, "chargeback_open")
    decide(app, name, won=False)
    assert juris.post(f"/api/tasks/{task['id']}/start").json["code"] == "not_paid"
    assert money.pay(anna, task["id"])["status"] == "held"


@pytest.mark.parametrize("won", [True, False])
def test_what_was_called_off_meanwhile_goes_back_once(app: Flask, anna: Person, juris: Person, won: bool) -> None:
    task = paid_task(anna, juris, budget=40)
    name = dispute(app, task["paid"]["id"])

    assert anna.post(f"/api/tasks/{task['id']}/cancel").status_code == 200
    assert ledger(app)["escrow"] == 4000
    decide(app, name, won=won)
    back = shown(anna, task["paid"]["id"])
    assert (back["status"], back["refunded_minor"]) == ("refunded", 4000 if won else 0)
    assert ledger(app) == {"provider": FEE, "losses": -FEE}
    assert books_agree(app)


def test_what_was_earned_cannot_be_paid_out_while_it_is_disputed(app: Flask, anna: Person, juris: Person) -> None:
    disputed, other = finished_task(anna, juris, budget=40), finished_task(anna, juris, budget=20)
    onboard(juris)
    name = dispute(app, disputed["paid"]["id"])

    balance = juris.get("/api/wallet").json["balances"][0]
    assert (balance["available_minor"], balance["frozen_minor"]) == (1800, 3600)
    refused = juris.post("/api/payouts", {"amount": 18.01, "currency": "EUR"}, **key())
    assert (refused.status_code, refused.json["code"], "18.00" in refused.text) == (409, "not_enough", True)
    payout(juris, 18)
    decide(app, name, won=True)
    payout(juris, 36)
    work(app)
    assert balances(juris) == {"EUR": (0, 0, 0)}
    assert shown(anna, other["paid"]["id"])["status"] == "released"
    assert books_agree(app)


def test_lost_after_the_payout_it_is_a_debt_of_whoever_was_paid(app: Flask, anna: Person, juris: Person) -> None:
    task = finished_task(anna, juris, budget=40)
    onboard(juris)
    payout(juris, 36)
    work(app)
    name = dispute(app, task["paid"]["id"])
    decide(app, name, won=False)

    assert balances(juris) == {"EUR": (-3600, 0, 0)}
    assert ledger(app) == {"provider": 3600 + FEE, "available": -3600, "losses": -FEE}
    line = juris.get("/api/wallet/transactions").json["transactions"][0]
    assert (line["kind"], line["price_minor"], task["title"] in line["explanation"]) == ("clawback", -3600, True)
    assert books_agree(app)


def test_a_refund_that_was_not_sent_is_made_by_the_bank(app: Flask, anna: Person, juris: Person) -> None:
    task = finished_task(anna, juris, budget=40)
    fake(app).faults += [("refund", "down")]
    assert juris.post(f"/api/payments/{task['paid']['id']}/refund", {"amount": 10}, **key()).status_code == 200
    name = dispute(app, task["paid"]["id"])
    assert rows(app, "SELECT status FROM refunds") == [("pending",)]

    decide(app, name, won=False)
    money.later(app)
    assert rows(app, "SELECT status, amount_minor FROM refunds") == [("done", 1000)]
    assert ledger(app) == {"provider": FEE, "losses": -FEE}
    assert balances(anna) == {"EUR": (0, 0, 0)}
    assert books_agree(app)


def test_what_went_back_before_is_the_marketplaces_loss(app: Flask, anna: Person, juris: Person) -> None:
    task = finished_task(anna, juris, budget=40)
    assert juris.post(f"/api/payments/{task['paid']['id']}/refund", {"amount": 10}, **key()).status_code == 200
    work(app)
    decide(app, dispute(app, task["paid"]["id"]), won=False)

    assert balances(juris) == {"EUR": (0, 0, 0)}
    assert ledger(app) == {"provider": 1000 + FEE, "losses": -1000 - FEE}
    assert books_agree(app)


def test_all_shares_of_a_payment_bear_it(app: Flask, anna: Person, juris: Person) -> None:
    zane = sign_up(app, "zane")
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000, subsidy_minor=1000)
    payment = begun(app, [first, second])
    do(app, service.release, first.reference)
    name = dispute(app, payment)
    do(app, service.release, second.reference)
    assert balances(zane) == {"EUR": (0, 3000, 0)}
    decide(app, name, won=False)
    assert (balances(juris), balances(zane)) == ({"EUR": (0, 0, 0)}, {})
    assert ledger(app) == {"provider": FEE, "losses": -FEE}


def test_staff_see_it_answer_it_and_are_reminded(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    dispute(app, task["paid"]["id"])

    for person in (anna, juris):
        assert person.get("/api/admin/chargebacks").status_code == 403
    found = admin.get("/api/admin/chargebacks?status=open").json["chargebacks"]
    assert [(one["payment_id"], one["amount_minor"], one["fee_minor"]) for one in found] == [
        (task["paid"]["id"], 4000, FEE)
    ]
    assert found[0]["available_actions"] == ["answer"]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=5)):
        for _ in range(2):
            clockwork(app, money_jobs.remind_of_evidence)
        work(app)
    told = [one["type"] for one in admin.get("/api/notifications").json["notifications"]]
    assert (told.count("chargeback_answer_due"), told.count("chargeback_to_answer")) == (1, 1)
    path = f"/api/admin/chargebacks/{found[0]['id']}"
    sent = admin.post(f"{path}/evidence", {"evidence": "She confirmed it."}, **key())
    assert sent.status_code == 200
    work(app)
    assert admin.get(path).json["deals"] == [{"reference": f"task:{task['id']}", "title": task["title"]}]
    assert "She confirmed it." in str(rows(app, "SELECT data FROM fake_things WHERE kind = 'chargeback'"))
    assert "chargeback_opened" in [one["type"] for one in juris.get("/api/notifications").json["notifications"]]


def test_staff_show_the_bank_a_paper_of_their_own(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    path = f"/api/admin/chargebacks/{money.dispute(app, paid_task(anna, juris, budget=40)['paid']['id'])}"
    paper = upload(admin, "document", b"%PDF-1.7\n%%EOF", "signed.pdf")["filename"]
    foreign, text = upload(juris, "document", b"%PDF-1.7\n%%EOF", "x.pdf"), upload(admin, "document", b"said", "x.txt")

    for wrong in (foreign["filename"], text["filename"], "nothing.pdf"):
        answer = admin.post(f"{path}/evidence", {"evidence": "See.", "file": wrong}, **key())
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["file"]), wrong
    sent = admin.post(f"{path}/evidence", {"evidence": "See.", "file": paper}, **key())
    assert sent.json["chargeback"]["evidence_file"]["filename"] == paper
    work(app)
    assert paper in str(rows(app, "SELECT data FROM fake_things WHERE kind = 'chargeback'"))
    other = sign_up(app, "second", role="admin")
    assert other.get(other.get(path).json["evidence_file"]["url"]).data.startswith(b"%PDF")
    assert (
        admin.post(f"{path}/evidence", {"evidence": "No paper."}, **key()).json["chargeback"]["evidence_file"] is None
    )


def test_it_is_booked_once_however_often_it_is_told(app: Flask, anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    name = dispute(app, task["paid"]["id"])

    for won in (None, True, None):
        if won is not None:
            decide(app, name, won=won)
        with app.app_context():
            state = fake(app).fetch_chargeback(name)
            do(app, chargebacks_service.apply_state, task["paid"]["id"], state)
            db.session.remove()
        work(app)
    assert ledger(app) == {"provider": -4000 + FEE, "escrow": 4000, "losses": -FEE}
    assert books_agree(app)


def test_control_money_that_is_not_frozen_is_paid_twice(
    app: Flask, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = finished_task(anna, juris, budget=40)
    onboard(juris)
    monkeypatch.setattr("marketplace.payments.wallets.settlement.frozen", lambda user_id: {("fake", "EUR"): 0})
    dispute(app, task["paid"]["id"])
    sent = juris.post("/api/payouts", {"amount": 36, "currency": "EUR"}, **key())
    assert sent.status_code == 201


def test_what_a_refund_put_into_the_payers_wallet_is_theirs_once(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    payment = money.pay(anna, task, "pm_card_refundFail")
    anna.post(f"/api/tasks/{task}/cancel")
    work(app)
    onboard(anna)
    assert balances(anna) == {"EUR": (4000, 0, 0)}

    name = dispute(app, payment["id"])
    assert anna.post("/api/payouts", {"amount": 40, "currency": "EUR"}, **key()).json["code"] == "not_enough"
    decide(app, name, won=False)
    assert balances(anna) == {"EUR": (0, 0, 0)}
    assert ledger(app) == {"provider": FEE, "losses": -FEE}
    assert books_agree(app)
    latest = anna.get("/api/wallet/transactions").json["transactions"][0]
    title = anna.get(f"/api/tasks/{task}").json["title"]
    assert latest["explanation"] == f"Your bank has paid you back for “{title}” itself"


@pytest.mark.parametrize("side", ["payer", "payee"])
def test_staff_do_not_answer_for_their_own_payment(
    app: Flask, anna: Person, juris: Person, admin: Person, side: str
) -> None:
    two = (admin, juris) if side == "payer" else (anna, admin)
    path = f"/api/admin/chargebacks/{money.dispute(app, paid_task(*two, budget=40)['paid']['id'])}"
    assert admin.post(f"{path}/evidence", {"evidence": "Trust me."}, **key()).status_code == 403
