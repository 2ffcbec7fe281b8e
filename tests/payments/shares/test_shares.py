"""One payment for several sellers: each share is held, released, given back and shown on its own."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.core.database.db import db, fetch
from marketplace.kit.errors import Problem
from marketplace.payments import service
from marketplace.payments.service import PurchaseLine
from tests.factories.carts import begun, do, purchase
from tests.factories.money import balances, key, work
from tests.factories.people import Person, sign_up


@pytest.fixture
def zane(app: Flask) -> Person:
    """A second seller."""
    return sign_up(app, "zane")


def shown(person: Person, payment_id: int) -> dict[str, Any]:
    """The payment as somebody sees it."""
    answer = person.get(f"/api/payments/{payment_id}")
    assert answer.status_code == 200
    return dict(answer.json)


def rows(app: Flask, statement: str) -> list[tuple[Any, ...]]:
    """As tuples."""
    with app.app_context():
        found = [tuple(row) for row in fetch(text(statement))]
        db.session.remove()
    return found


def ledger(app: Flask) -> dict[str, int]:
    """What each purpose has in all, where that is something."""
    found = rows(app, "SELECT purpose, SUM(balance_minor) FROM ledger_accounts GROUP BY purpose")
    return {purpose: int(minor) for purpose, minor in found if minor}


def test_one_payment_pays_two_sellers_who_each_see_their_own_share(
    app: Flask, anna: Person, juris: Person, zane: Person
) -> None:
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
    payment = begun(app, [first, second])

    mine = shown(anna, payment)
    assert (mine["status"], mine["price_minor"], mine["payee_id"], mine["fee_minor"]) == ("held", 4000, None, 400)
    assert [(one["reference"], one["payee_id"], one["held_minor"]) for one in mine["shares"]] == [
        (first.reference, juris.id, 1000),
        (second.reference, zane.id, 3000),
    ]
    theirs = shown(juris, payment)
    assert (theirs["reference"], theirs["price_minor"], theirs["payee_id"]) == (first.reference, 1000, juris.id)
    assert second.reference not in str(theirs)
    assert len(theirs["shares"]) == 1
    assert [one["price_minor"] for one in zane.get("/api/payments").json["payments"]] == [3000]
    assert rows(app, "SELECT COUNT(*), SUM(amount_minor) FROM fake_lines") == [(1, 4000)]
    assert balances(juris) == {"EUR": (0, 1000, 0)}
    assert balances(zane) == {"EUR": (0, 3000, 0)}


def test_the_payers_receipt_lists_the_shares_and_each_has_its_own(
    app: Flask, anna: Person, juris: Person, zane: Person
) -> None:
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
    payment = begun(app, [first, second])

    whole, *parts = shown(anna, payment)["receipts"]
    page = anna.get(f"/api/payments/{payment}/receipt?format=html").text
    assert all(word in page for word in (first.title, second.title, "juris", "zane", "40.00", whole))
    assert shown(juris, payment)["receipts"] == parts[:1]
    own = juris.get(f"/api/payments/{payment}/receipt?format=html").text
    assert first.title in own
    assert second.title not in own
    assert "40.00" not in own
    assert zane.get(f"/api/payments/{payment}/receipt?number={parts[0]}").status_code == 404
    do(app, service.call_off, first.reference)
    work(app)
    note = shown(juris, payment)["receipts"][-1]
    assert parts[0] in juris.get(f"/api/payments/{payment}/receipt?format=html&number={note}").text


def test_each_share_ends_on_its_own_and_the_payment_with_the_last(
    app: Flask, anna: Person, juris: Person, zane: Person
) -> None:
    first, second, third = purchase(anna, juris, 1000), purchase(anna, zane, 3000), purchase(anna, zane, 999)
    payment = begun(app, [first, second, third])

    do(app, service.release, first.reference, 333)
    assert balances(juris) == {"EUR": (300, 667, 0)}
    do(app, service.release, first.reference)
    do(app, service.call_off, second.reference)
    assert [one["status"] for one in shown(anna, payment)["shares"]] == ["released", "refunded", "held"]
    assert shown(anna, payment)["status"] == "held"
    do(app, service.split, third.reference, 500)
    work(app)
    mine = shown(anna, payment)
    assert (mine["status"], mine["refunded_minor"]) == ("released", 3499)
    assert balances(juris) == {"EUR": (900, 0, 0)}
    assert balances(zane) == {"EUR": (450, 0, 0)}
    assert ledger(app) == {"provider": -1500, "available": 1350, "fees": 150}
    assert [line["kind"] for line in juris.get("/api/wallet/transactions").json["transactions"]] == ["release"] * 2


def test_a_seller_gives_back_of_their_own_share_and_staff_say_of_which(
    app: Flask, anna: Person, juris: Person, zane: Person, admin: Person
) -> None:
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
    payment = begun(app, [first, second])

    other = juris.post(f"/api/payments/{payment}/refund", {"amount": 1, "reference": second.reference}, **key())
    assert (other.status_code, first.reference in other.text, second.reference in other.text) == (422, True, False)
    back = juris.post(f"/api/payments/{payment}/refund", {"amount": 4}, **key())
    assert (back.status_code, back.json["payment"]["refunded_minor"]) == (200, 400)
    assert admin.post(f"/api/payments/{payment}/refund", {"amount": 1}, **key()).status_code == 422
    chosen = admin.post(f"/api/payments/{payment}/refund", {"amount": 1, "reference": second.reference}, **key())
    assert (chosen.status_code, chosen.json["payment"]["refunded_minor"]) == (200, 500)
    too_much = juris.post(f"/api/payments/{payment}/refund", {"amount": 6.01}, **key())
    assert (too_much.status_code, "6.00" in too_much.text) == (422, True)
    assert anna.post(f"/api/payments/{payment}/refund", {"reference": first.reference}, **key()).status_code == 403


def test_a_voucher_of_the_marketplace_pays_the_seller_in_full_and_comes_back_with_a_refund(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    bought = purchase(anna, juris, 1000, subsidy_minor=300)
    payment = begun(app, [bought])

    assert shown(anna, payment)["price_minor"] == 700
    assert ledger(app) == {"provider": -700, "promotions": -300, "escrow": 1000}
    do(app, service.release, bought.reference)
    assert balances(juris) == {"EUR": (900, 0, 0)}
    half = admin.post(f"/api/payments/{payment}/refund", {"amount": 3.5}, **key())
    assert half.status_code == 200
    work(app)
    assert ledger(app) == {"provider": -350, "promotions": -150, "available": 450, "fees": 50}
    assert admin.post(f"/api/payments/{payment}/refund", {}, **key()).status_code == 200
    work(app)
    assert (ledger(app), shown(anna, payment)["status"]) == ({}, "refunded")


def test_what_a_voucher_pays_alone_goes_back_without_a_refund(app: Flask, anna: Person, juris: Person) -> None:
    free, paid = purchase(anna, juris, 500, subsidy_minor=500), purchase(anna, juris, 100)
    payment = begun(app, [free, paid])

    do(app, service.call_off, free.reference)
    assert [one["status"] for one in shown(anna, payment)["shares"]] == ["refunded", "held"]
    assert ledger(app) == {"provider": -100, "escrow": 100}
    assert rows(app, "SELECT COUNT(*) FROM refunds") == [(0,)]


def test_each_line_has_the_fee_of_its_category_and_keeps_it(
    app: Flask, anna: Person, juris: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = '[[rule]]\nname = "moving"\npercent = "50"\ncategories = ["moving"]\n'
    (tmp_path / "fees.toml").write_text(f'{rules}[[rule]]\nname = "standard"\npercent = "10"\n')
    monkeypatch.setitem(app.config, "FEE_RULES", str(tmp_path / "fees.toml"))
    lines = (PurchaseLine(price_minor=400, category="moving"), PurchaseLine(price_minor=600, category="other"))
    bought = purchase(anna, juris, 1000, lines=lines)
    payment = begun(app, [bought])

    assert shown(anna, payment)["fee_minor"] == 260
    monkeypatch.setitem(app.config, "FEE_RULES", "")
    do(app, service.release, bought.reference)
    assert balances(juris) == {"EUR": (740, 0, 0)}
    with app.app_context():
        kept = fetch(text("SELECT lines FROM payment_shares"))[0][0]
        db.session.remove()
    assert '"rule": "moving"' in str(kept).replace("'", '"')


def test_a_deal_is_in_one_open_payment_only(app: Flask, anna: Person, juris: Person, zane: Person) -> None:
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
    payment = begun(app, [first, second])

    with pytest.raises(Problem) as refused:
        begun(app, [second, purchase(anna, juris, 5)])
    assert refused.value.code == "paid_already"
    unpaid = purchase(anna, juris, 700)
    waiting = begun(app, [unpaid], method=None)
    assert begun(app, [unpaid], method=None) == waiting
    do(app, service.call_off, unpaid.reference)
    work(app)
    assert shown(anna, waiting)["status"] == "cancelled"
    assert shown(anna, payment)["status"] == "held"


def test_a_seller_who_calls_off_before_the_money_came_gets_none_of_it(
    app: Flask, anna: Person, juris: Person, zane: Person
) -> None:
    first, second = purchase(anna, juris, 1000), purchase(anna, zane, 3000)
    payment = begun(app, [first, second], method=None)

    do(app, service.call_off, first.reference)
    paid = anna.post(f"/api/payments/{payment}/confirm", {"payment_method": "pm_card_visa"}, **key())
    assert paid.status_code == 200
    work(app)
    mine = shown(anna, payment)
    assert ([one["status"] for one in mine["shares"]], mine["refunded_minor"]) == (["refunded", "held"], 1000)
