"""A task's money: held, released, given back."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.payments.ledger.service import TRANSFERS
from marketplace.payments.models import ReceiptRow
from tests.factories import things
from tests.factories.money import balances, finished_task, key, onboard, paid_task, payout, work
from tests.factories.people import Person


def test_the_whole_way_from_acceptance_to_the_bank(app: Flask, anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)

    assert (task["paid"]["status"], task["paid"]["fee_minor"]) == ("held", 400)
    assert balances(juris) == {"EUR": (0, 4000, 0)}
    for person, verb in ((juris, "start"), (juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
    assert balances(juris) == {"EUR": (3600, 0, 0)}
    onboard(juris)
    payout(juris, 36)
    work(app)
    assert juris.get("/api/payouts").json["payouts"][0]["status"] == "paid"
    assert balances(juris) == {"EUR": (0, 0, 0)}
    lines = juris.get("/api/wallet/transactions").json["transactions"]
    assert [(line["kind"], line["price_minor"], line["balance_minor"], line["fee_minor"]) for line in lines] == [
        ("payout", -3600, 0, 0),
        ("release", 3600, 3600, 400),
    ]
    title = f"“{task['title']}”"
    assert [line["explanation"] for line in lines] == ["On its way to your bank", f"Paid for {title}, less 4.00 EUR"]
    juris.put("/api/auth/profile", {"language": "lv"})
    told = juris.get("/api/wallet/transactions").json["transactions"][1]["explanation"]
    assert told == f"Samaksa par {title}, atskaitot 4,00 EUR"


def test_nobody_works_for_money_that_is_not_there(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")
    for verb in ("start", "done"):
        refused = juris.post(f"/api/tasks/{task['id']}/{verb}")
        assert (refused.status_code, refused.json["code"]) == (409, "not_paid")


def test_a_refund_after_the_payout_leaves_a_debt_that_the_next_earnings_level(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    task = finished_task(anna, juris, budget=40)
    onboard(juris)
    payout(juris, 36)
    work(app)
    generous = juris.post(f"/api/payments/{task['paid']['id']}/refund", {"amount": 10}, **key())
    assert (generous.status_code, generous.json["code"]) == (409, "not_enough")
    back = admin.post(f"/api/payments/{task['paid']['id']}/refund", {"amount": 10}, **key())
    assert (back.status_code, back.json["payment"]["refunded_minor"]) == (200, 1000)
    assert balances(juris) == {"EUR": (-900, 0, 0)}
    work(app)
    finished_task(anna, juris, budget=20)
    assert balances(juris) == {"EUR": (900, 0, 0)}


TAXED = '[[rule]]\nname = "taxed"\npercent = "10"\ntax_percent = "21"\n'


@pytest.mark.parametrize("released", [True, False])
def test_a_credit_note_corrects_the_fee_and_its_tax_too(
    app: Flask,
    anna: Person,
    juris: Person,
    admin: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    released: bool,
) -> None:
    (tmp_path / "fees.toml").write_text(TAXED)
    monkeypatch.setitem(app.config, "FEE_RULES", str(tmp_path / "fees.toml"))
    paid = (finished_task if released else paid_task)(anna, juris, budget=40)["paid"]
    assert (paid["fee_minor"], paid["tax_minor"]) == (400, 84)
    admin.post(f"/api/payments/{paid['id']}/refund", {"amount": 20}, **key())
    work(app)

    with app.app_context():
        notes = fetch(select(ReceiptRow.data).where(ReceiptRow.series.startswith("C")))
        moved = {row.kind: row.amount_minor for row in fetch(select(TRANSFERS.c.kind, TRANSFERS.c.amount_minor))}
        db.session.remove()
    assert [(one.data["amount_minor"], one.data["fee_minor"], one.data["tax_minor"]) for one in notes] == [
        (2000, 200, 42)
    ]
    assert (moved.get("fee_back"), moved.get("tax_back")) == ((200, 42) if released else (None, None))
