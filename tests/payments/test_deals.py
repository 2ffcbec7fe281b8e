"""What becomes of a task's money when things go another way; receipts, codes and quotes."""

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import text

from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.payments import handover_codes
from tests.conftest import make_app
from tests.factories import money, things
from tests.factories.people import Person, sign_up


def status_of(person: Person, payment_id: int) -> str:
    return str(person.get(f"/api/payments/{payment_id}").json["status"])


def test_accepting_holds_the_money_in_the_same_breath(app: Flask, anna: Person, juris: Person) -> None:
    task = things.task(anna, payment="escrow", budget=40)["id"]
    offered = things.application(juris, task, proposed_price=35)["id"]
    paid = {"payment_method": money.VISA, "price": 35}
    answer = anna.post(f"/api/tasks/{task}/applications/{offered}/accept", paid)
    money.work(app)

    payments = anna.get("/api/payments", query_string={"task_id": task}).json["payments"]
    assert [(one["status"], one["price_minor"]) for one in payments] == [("held", 3500)]
    assert (answer.json["task"]["agreed_price"], answer.json["task"]["payment"]) == (35.0, "escrow")


@pytest.mark.parametrize(
    ("card", "status", "said"),
    [
        ("pm_card_visa", "held", "paid_already"),
        ("pm_card_chargeDeclined", "requires_payment_method", "Your card was declined."),
        (
            "pm_card_threeDSecure2Required",
            "requires_action",
            "Your bank wants you to agree: open next_url, then confirm.",
        ),
        (None, "requires_payment_method", "Choose how to pay."),
    ],
)
def test_what_became_of_the_payment_is_there_when_accepting_is_answered(
    anna: Person, juris: Person, card: str | None, status: str, said: str
) -> None:
    task = things.task(anna, payment="escrow", budget=40)["id"]
    offered = things.application(juris, task)["id"]
    paid = {"payment_method": card, "price": 40}
    accepted = anna.post(f"/api/tasks/{task}/applications/{offered}/accept", paid).json["task"]

    assert accepted["agreed_price"] == 40.0
    assert status_of(anna, accepted["payment_id"]) == status
    assert anna.get(f"/api/tasks/{task}").json["payment_status"] == status
    again = anna.post("/api/payments", {"task_id": task}, **money.key()).json
    assert said in {again.get("message"), again.get("code")}


PAID_AT_ONCE = {"payment_method": money.VISA, "price": 25}


def test_a_booking_that_is_paid_is_made_once(app: Flask, juris: Person) -> None:
    shop = make_app(app.config["DATABASE_URL"], TASK_PAYMENT="escrow")
    client, book = sign_up(shop, "client"), f"/api/offerings/{things.offering(juris)['id']}/book"
    refused = client.post(book, PAID_AT_ONCE)
    assert (refused.status_code, refused.json["code"]) == (400, "no_idempotency_key")
    once = money.key()
    assert [client.post(book, PAID_AT_ONCE, **once).status_code for _ in range(3)] == [201] * 3
    assert [one["status"] for one in client.get("/api/payments").json["payments"]] == ["held"]


def test_a_booking_is_paid_when_it_is_answered(app: Flask, juris: Person) -> None:
    shop = make_app(app.config["DATABASE_URL"], TASK_PAYMENT="escrow")
    client = sign_up(shop, "client")
    offering = things.offering(juris)["id"]
    booked = client.post(f"/api/offerings/{offering}/book", PAID_AT_ONCE, **money.key()).json["task"]
    assert status_of(client, booked["payment_id"]) == "held"


def test_without_any_price_nothing_is_held_and_that_is_said(anna: Person, juris: Person) -> None:
    task = things.task(anna, payment="escrow", budget=None)["id"]
    offered = things.application(juris, task)["id"]
    accepted = anna.post(f"/api/tasks/{task}/applications/{offered}/accept").json
    assert accepted["message"] == "The task is assigned. No price was agreed on, so no money is held."
    assert (accepted["task"]["payment_id"], accepted["task"]["agreed_price"]) == (None, None)
    assert juris.post(f"/api/tasks/{task}/start").status_code == 200


def test_with_a_deposit_before_the_start_nothing_is_asked_for_at_acceptance(app: Flask, anna: Person) -> None:
    shop = make_app(app.config["DATABASE_URL"], ESCROW_HOLD="start", TASK_PAYMENT="escrow")
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker)["id"]

    assert owner.get("/api/payments").json["total"] == 0
    assert worker.post(f"/api/tasks/{task}/start").json["code"] == "not_paid"
    money.pay(owner, task)
    assert worker.post(f"/api/tasks/{task}/start").status_code == 200


def test_a_task_paid_outside_needs_nothing(anna: Person, juris: Person) -> None:
    done = things.completed_task(anna, juris)
    assert (done["payment"], anna.get("/api/payments").json["total"]) == ("outside", 0)


@pytest.mark.parametrize("who", ["owner cancels", "worker declines"])
def test_a_deal_called_off_sends_everything_back(app: Flask, anna: Person, juris: Person, who: str) -> None:
    task = money.paid_task(anna, juris, budget=40)
    person, verb = (anna, "cancel") if who == "owner cancels" else (juris, "decline")
    assert person.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
    money.work(app)

    payment = anna.get(f"/api/payments/{task['paid']['id']}").json
    assert (payment["status"], payment["refunded_minor"], len(payment["receipts"])) == ("refunded", 4000, 2)
    assert [one["status"] for one in payment["refunds"]] == ["done"]
    assert money.balances(juris) == {}


def test_who_declines_makes_room_for_the_next_one(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)
    juris.post(f"/api/tasks/{task['id']}/decline")
    offered = things.application(stranger, task["id"])["id"]
    paid = {"payment_method": money.VISA, "price": 40}
    taken = anna.post(f"/api/tasks/{task['id']}/applications/{offered}/accept", paid)
    assert taken.status_code == 200, taken.json
    money.work(app)

    found = anna.get("/api/payments", query_string={"task_id": task["id"]}).json["payments"]
    assert sorted((one["status"], one["payee_id"]) for one in found) == [("held", stranger.id), ("refunded", juris.id)]


def test_a_payment_called_off_before_it_was_made_never_is(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    payment = anna.get("/api/payments", query_string={"task_id": task}).json["payments"][0]["id"]
    anna.post(f"/api/tasks/{task}/cancel")
    money.work(app)

    assert status_of(anna, payment) == "cancelled"
    late = anna.post(f"/api/payments/{payment}/confirm", {"payment_method": money.VISA}, **money.key())
    assert late.status_code == 409


def test_a_card_that_declines_can_be_followed_by_one_that_does_not(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    first = money.pay(anna, task, "pm_card_chargeDeclined")
    assert (first["status"], first["failure"]) == ("requires_payment_method", "Your card was declined.")
    second = anna.post(f"/api/payments/{first['id']}/confirm", {"payment_method": money.VISA}, **money.key())
    payment = second.json["payment"]
    assert (second.status_code, payment["status"], payment["failure"]) == (200, "held", None)


def test_a_challenge_is_passed_at_the_provider(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    asked = money.pay(anna, task, "pm_card_authenticationRequired")
    assert (asked["status"], asked["next_url"][:4]) == ("requires_action", "http")
    assert juris.get(f"/api/payments/{asked['id']}").json["client_secret"] is None
    passed = anna.post(f"/api/payments/{asked['id']}/confirm", **money.key())
    assert passed.json["payment"]["status"] == "held"


def test_a_bank_that_breaks_its_word_leaves_nothing_held(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    broken = money.pay(anna, task, "pm_card_captureDeclined")
    assert (broken["status"], broken["failure"]) == ("failed", "The bank did not release the money.")
    assert juris.post(f"/api/tasks/{task}/start").json["code"] == "not_paid"
    assert money.pay(anna, task)["status"] == "held"


@pytest.mark.parametrize("method", ["create", "confirm", "capture"])
@pytest.mark.parametrize("fault", ["down", "answer lost"])
def test_a_provider_that_fails_for_a_moment_is_asked_again(
    app: Flask, anna: Person, juris: Person, method: str, fault: str
) -> None:
    task = things.assigned_task(anna, juris)["id"]
    money.fake(app).faults.append((method, fault))
    payment = money.pay(anna, task)
    assert payment["status"] != "held"
    money.later(app)
    assert status_of(anna, payment["id"]) == "held"


def test_a_refund_the_card_does_not_take_is_in_the_wallet(app: Flask, anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    payment = money.pay(anna, task, "pm_card_refundFail")
    anna.post(f"/api/tasks/{task}/cancel")
    money.work(app)

    assert anna.get(f"/api/payments/{payment['id']}").json["refunds"][0]["status"] == "failed"
    assert money.balances(anna) == {"EUR": (4000, 0, 0)}


def test_a_refund_the_bank_returns_later_is_in_the_wallet_with_one_credit_note(
    app: Flask, anna: Person, juris: Person
) -> None:
    payment = money.pay(anna, things.assigned_task(anna, juris, budget=40)["id"])
    juris.post(f"/api/payments/{payment['id']}/refund", {"amount": 10}, **money.key())
    money.work(app)
    with app.app_context():
        name = fetch(text("SELECT provider_id FROM refunds"))[0].provider_id
        money.fake(app).return_refund(name)
        db.session.remove()
    money.work(app)

    shown = anna.get(f"/api/payments/{payment['id']}").json
    assert shown["refunds"][0]["status"] == "failed"
    assert [number[0] for number in shown["receipts"]] == ["2", "C"]
    assert money.balances(anna)["EUR"][0] == 1000


def test_the_price_is_shown_before_paying_and_never_taken_from_the_client(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=33.33)["id"]
    quote = anna.get(f"/api/payments/tasks/{task}/quote").json
    told = [quote[name] for name in ("price_minor", "fee_minor", "payee_minor")]
    assert told == [3333, 333, 3000]
    lies = {"amount": 1, "fee": 0, "price_minor": 1, "payee_id": anna.id, "currency": "JPY", "task_id": task}
    begun = anna.post("/api/payments", lies, **money.key()).json["payment"]
    assert begun["price_minor"] == 3333
    paid = {"task_id": task, "price": 33.33, "currency": "EUR", "payment_method": money.VISA}
    paid = anna.post("/api/payments", {**lies, **paid}, **money.key()).json["payment"]
    assert (paid["price_minor"], paid["fee_minor"], paid["currency"], paid["payee_id"]) == (3333, 333, "EUR", juris.id)


def test_a_task_without_a_price_has_nothing_to_pay(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=None, payment="escrow")["id"]
    assert anna.post("/api/payments", {"task_id": task}, **money.key()).json["code"] == "nothing_to_pay"
    assert juris.post(f"/api/tasks/{task}/start").status_code == 200


@pytest.mark.parametrize(("currency", "budget", "minor", "fee"), [("JPY", 1050, 1050, 105), ("KWD", 1.234, 1234, 123)])
def test_currencies_keep_their_own_minor_units(
    anna: Person, juris: Person, currency: str, budget: float, minor: int, fee: int
) -> None:
    task = money.finished_task(anna, juris, budget=budget, currency=currency)
    assert (task["paid"]["price_minor"], task["paid"]["fee_minor"]) == (minor, fee)
    assert money.balances(juris) == {currency: (minor - fee, 0, 0)}


def test_a_receipt_is_a_paper_or_a_page_in_the_readers_language(anna: Person, juris: Person, stranger: Person) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    paper = anna.get(f"/api/payments/{payment}/receipt", query_string={"lang": "lv"})
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(paper.data)).pages)
    number = anna.get(f"/api/payments/{payment}").json["receipts"][0]
    assert (paper.content_type, number in text, "40,00" in text) == ("application/pdf", True, True)

    page = juris.get(f"/api/payments/{payment}/receipt", headers={"Accept": "text/html"})
    assert (page.mimetype, "<h1" in page.text, "4.00" in page.text) == ("text/html", True, True)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert stranger.get(f"/api/payments/{payment}/receipt").status_code == 404
    assert anna.get(f"/api/payments/{payment}/receipt", query_string={"number": "2026-999999"}).status_code == 404


def test_the_code_ends_a_task_on_the_spot(anna: Person, juris: Person, stranger: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)["id"]
    assert juris.post(f"/api/tasks/{task}/handover-code").status_code == 403
    code = anna.post(f"/api/tasks/{task}/handover-code").json["code"]
    assert anna.post(f"/api/tasks/{task}/handover-code").json["code"] == code
    assert anna.post(f"/api/tasks/{task}/handover", {"code": code}).status_code == 403
    assert stranger.post(f"/api/tasks/{task}/handover", {"code": code}).status_code in {403, 404}

    done = juris.post(f"/api/tasks/{task}/handover", {"code": code})
    assert (done.status_code, done.json["task"]["status"]) == (200, "completed")
    assert money.balances(juris) == {"EUR": (3600, 0, 0)}
    assert juris.post(f"/api/tasks/{task}/handover", {"code": code}).status_code == 409


def test_a_code_cannot_be_guessed(anna: Person, juris: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)["id"]
    code = anna.post(f"/api/tasks/{task}/handover-code").json["code"]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    tried = [juris.post(f"/api/tasks/{task}/handover", {"code": wrong}).status_code for _ in range(6)]
    assert tried == [422] * 5 + [409]
    assert juris.post(f"/api/tasks/{task}/handover", {"code": code}).status_code == 409
    fresh = anna.post(f"/api/tasks/{task}/handover-code", {"fresh": True}).json["code"]
    assert juris.post(f"/api/tasks/{task}/handover", {"code": fresh}).status_code == 200


def test_a_code_counts_once(app: Flask, anna: Person) -> None:
    with app.app_context():
        code = in_transaction(lambda: handover_codes.code_for("task:7", anna.id))
        assert in_transaction(lambda: handover_codes.guess("task:7", code))
        with pytest.raises(handover_codes.NoCode):
            in_transaction(lambda: handover_codes.guess("task:7", code))
        db.session.remove()


def test_a_code_pays_nobody_before_the_money_is_held(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    assert anna.post(f"/api/tasks/{task}/handover-code").json["code"] == "not_paid"
    assert juris.post(f"/api/tasks/{task}/handover", {"code": "000000"}).json["code"] == "not_paid"


def test_a_statement_is_a_file_too(app: Flask, anna: Person, juris: Person) -> None:
    for _ in range(3):
        money.finished_task(anna, juris, budget=40)
    file = juris.get("/api/wallet/transactions", headers={"Accept": "text/csv"})
    assert file.mimetype == "text/csv"
    assert file.data.startswith(b"\xef\xbb\xbf"), "spreadsheets take it for another code page"
    rows = list(csv.DictReader(StringIO(file.data.decode("utf-8-sig"))))
    assert "id" in rows[0]
    assert [(row["amount"], row["currency"], row["balance"], row["fee"]) for row in rows] == [
        ("36.00", "EUR", balance, "4.00") for balance in ("108.00", "72.00", "36.00")
    ]
    assert {row["explanation"] for row in rows} == {"Paid for “Carry a sofa”, less 4.00 EUR"}


def test_without_a_provider_nothing_is_promised(app: Flask, anna: Person) -> None:
    bare = make_app(app.config["DATABASE_URL"])
    bare.config["PAYMENT_PROVIDERS"] = []
    owner, worker = sign_up(bare, "owner"), sign_up(bare, "worker")
    refused = owner.post("/api/tasks", {**BODY, "payment": "escrow"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["payment"])
    task = things.assigned_task(owner, worker)["id"]
    assert owner.post("/api/payments", {"task_id": task}, **money.key()).json["code"] == "no_payments"
    assert owner.get("/api/payments/config").json["providers"] == []
    with bare.app_context():
        db.session.remove()


BODY: dict[str, Any] = {
    **{"title": "Carry a sofa", "description": "No lift.", "category": "moving", "location": "Rīga", "budget": 40},
    **things.RIGA,
}


def test_an_older_client_undoes_a_payment_by_its_task(app: Flask, anna: Person, juris: Person) -> None:
    cancelled, running = (money.paid_task(anna, juris)["id"] for _ in range(2))
    juris.post(f"/api/tasks/{running}/start")

    undone = anna.post(f"/api/payments/tasks/{cancelled}/refund", **money.key())
    assert (undone.status_code, undone.json["payment"]["status"]) == (200, "refunded")
    assert anna.get(f"/api/tasks/{cancelled}").json["status"] == "cancelled"
    assert anna.post(f"/api/payments/tasks/{running}/refund", **money.key()).status_code == 409
    given = juris.post(f"/api/payments/tasks/{running}/refund", {"amount": 5}, **money.key())
    assert (given.status_code, given.json["payment"]["refunded_minor"]) == (200, 500)


def test_the_price_that_was_seen_is_the_price_that_is_paid(anna: Person, juris: Person) -> None:
    task = things.task(anna, payment="escrow", budget=40)["id"]
    offered = things.application(juris, task, proposed_price=20)["id"]
    juris.delete(f"/api/tasks/{task}/applications/{offered}")
    assert things.application(juris, task, proposed_price=5000)["id"] == offered
    accept = f"/api/tasks/{task}/applications/{offered}/accept"

    refused = anna.post(accept, {"price": 20, "payment_method": money.VISA})
    assert (refused.status_code, refused.json["code"]) == (409, "price_changed")
    assert anna.get("/api/payments").json["total"] == 0
    assert anna.post(accept, {"price": 5000, "payment_method": money.VISA}).status_code == 200


def test_what_concerns_one_side_is_shown_to_that_side(anna: Person, juris: Person, stranger: Person) -> None:
    task = things.assigned_task(anna, juris, payment="escrow")["id"]
    payment = money.pay(anna, task, "pm_card_chargeDeclinedInsufficientFunds")
    assert payment["failure"] == "Your card has insufficient funds."
    assert juris.get(f"/api/payments/{payment['id']}").json["failure"] is None
    statuses = [person.get(f"/api/payments/tasks/{task}/quote").status_code for person in (anna, juris, stranger)]
    assert statuses == [200, 200, 403]


def test_nobody_decides_about_their_own_money(app: Flask, juris: Person, admin: Person) -> None:
    paid = money.finished_task(admin, juris, budget=40)["paid"]["id"]
    own = admin.get(f"/api/payments/{paid}").json
    assert (own["status"], own["available_actions"]) == ("released", [])
    assert admin.post(f"/api/payments/{paid}/refund", **money.key()).status_code == 403

    money.finished_task(juris, admin, budget=5000)
    money.onboard(admin)
    held = money.payout(admin, 4000)["id"]
    assert admin.get(f"/api/payouts/{held}").json["status"] == "on_hold"
    assert admin.post(f"/api/admin/payouts/{held}/approve", **money.key()).status_code == 403


def test_who_is_paid_outside_does_not_wait_for_money_that_was_begun(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris)["id"]
    assert anna.post("/api/payments", {"task_id": task}, **money.key()).status_code == 201
    for person, verb in ((juris, "start"), (juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task}/{verb}").status_code == 200


def test_an_offer_keeps_the_currency_it_was_made_in(anna: Person, juris: Person) -> None:
    task = things.task(anna, payment="escrow", budget=40)["id"]
    offered = things.application(juris, task, proposed_price=35)["id"]
    assert anna.put(f"/api/tasks/{task}", {"currency": "HUF"}).status_code == 200

    shown = anna.get(f"/api/tasks/{task}/applications").json["applications"][0]
    assert (shown["proposed_price"], shown["currency"]) == (35.0, "EUR")
    answer = anna.post(f"/api/tasks/{task}/applications/{offered}/accept", {"price": 35})
    assert (answer.status_code, answer.json["code"]) == (409, "price_changed")
    assert anna.get("/api/payments").json["total"] == 0
    assert anna.put(f"/api/tasks/{task}", {"currency": "EUR"}).status_code == 200
    accepted = anna.post(f"/api/tasks/{task}/applications/{offered}/accept", {"price": 35}).json["task"]
    assert (accepted["agreed_price"], accepted["currency"]) == (35.0, "EUR")


def test_an_offer_can_be_reckoned_before_it_is_accepted(anna: Person, juris: Person, stranger: Person) -> None:
    task = things.task(anna, payment="escrow", budget=40)["id"]
    offered = things.application(juris, task, proposed_price=35)["id"]
    path = f"/api/payments/tasks/{task}/quote"
    for side in (anna, juris):
        quote = side.get(path, query_string={"application_id": offered}).json
        assert (quote["price_minor"], quote["fee_minor"], quote["payee_minor"]) == (3500, 350, 3150)
    assert stranger.get(path, query_string={"application_id": offered}).status_code in {403, 404}
    assert anna.get(path).json["price_minor"] == 4000


def test_the_next_worker_has_another_code(app: Flask, anna: Person, juris: Person, stranger: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)["id"]
    code = anna.post(f"/api/tasks/{task}/handover-code").json["code"]
    for _ in range(4):
        juris.post(f"/api/tasks/{task}/handover", {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert juris.post(f"/api/tasks/{task}/decline").status_code == 200
    offered = things.application(stranger, task)["id"]
    anna.post(f"/api/tasks/{task}/applications/{offered}/accept", {"payment_method": money.VISA, "price": 40})

    assert stranger.post(f"/api/tasks/{task}/handover", {"code": code}).json["code"] == "no_code"
    fresh = anna.post(f"/api/tasks/{task}/handover-code").json["code"]
    assert fresh != code
    assert stranger.post(f"/api/tasks/{task}/handover", {"code": fresh}).status_code == 200


def test_nothing_said_is_everything_and_null_is_a_mistake(app: Flask, anna: Person, juris: Person) -> None:
    payment = money.paid_task(anna, juris, budget=40)["paid"]["id"]
    refused = juris.post(f"/api/payments/{payment}/refund", {"amount": None}, **money.key())
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["amount"])
    assert anna.get(f"/api/payments/{payment}").json["refunded_minor"] == 0
    assert juris.post(f"/api/payments/{payment}/refund", {}, **money.key()).status_code == 200
    money.work(app)
    assert anna.get(f"/api/payments/{payment}").json["refunded_minor"] == 4000


def test_who_asks_for_a_part_back_does_not_lose_the_deal(app: Flask, anna: Person, juris: Person) -> None:
    task = money.paid_task(anna, juris, budget=40)["id"]
    path = f"/api/payments/tasks/{task}/refund"
    refused = anna.post(path, {"amount": 10}, **money.key())
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["amount"])
    assert anna.get(f"/api/tasks/{task}").json["status"] == "assigned"
    assert anna.post(path, {"amount": 40}, **money.key()).status_code == 200
    assert anna.get(f"/api/tasks/{task}").json["status"] == "cancelled"
    money.work(app)


def test_a_method_of_payment_is_a_wish_to_pay(anna: Person, juris: Person) -> None:
    task = things.task(anna, payment="outside", budget=40)["id"]
    offered = things.application(juris, task)["id"]
    paid = {**PAID_AT_ONCE, "price": 40}
    accepted = anna.post(f"/api/tasks/{task}/applications/{offered}/accept", paid).json["task"]
    assert status_of(anna, accepted["payment_id"]) == "held"
