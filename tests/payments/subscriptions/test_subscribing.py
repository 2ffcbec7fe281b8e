"""Subscribing over HTTP: paying, declines, challenges, repeats, strangers, the chat's door."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database.db import db, fetch
from marketplace.payments.providers.fake.book import LINES
from marketplace.payments.subscriptions import provider_sync, service
from marketplace.payments.subscriptions.schemas import PlanReceiptSchema, PlanSchema, SubscriptionSchema
from marketplace.tasks.schemas import BegunPaymentSchema
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.payments.subscriptions.conftest import CHALLENGED, DECLINED, MINE, VISA, begun, mine, paid, subscribe, told
from tests.races.burst import burst

pytestmark = pytest.mark.usefixtures("plans_of_these_tests")
Settle = Callable[[], None]
TALKS = "/api/messages/conversations"


def charges(app: Flask) -> int:
    """How often the provider took money."""
    with app.app_context():
        found = int(fetch(select(func.count()).select_from(LINES))[0][0])
        db.session.remove()
    return found


def test_the_plans_are_told_in_the_readers_words_and_currency(app: Flask, anybody: Person) -> None:
    ilze = sign_up(app, "ilze")
    ilze.put("/api/auth/profile", {"language": "lv", "currency": "USD"})

    strangers, hers = anybody.get("/api/plans").json["plans"], ilze.get("/api/plans").json["plans"]
    assert [one["key"] for one in strangers] == ["client-hunter", "premium", "yearly", "badge"]
    assert (strangers[0]["name"], hers[0]["name"]) == ("Client hunter", "Klientu mednieks")
    assert (hers[0]["amount"], hers[0]["currency"], hers[1]["currency"]) == (50.0, "USD", "EUR")
    assert {one["currency"] for one in hers[0]["prices"]} == {"USD", "EUR"}
    assert anybody.get("/api/plans?lang=ru").json["plans"][1]["name"] == "Премиум"


def test_a_plan_is_paid_and_receipted(anna: Person, settle: Settle) -> None:
    assert mine(anna) is None

    found = begun(anna)
    settle()

    assert (found["status"], found["price_minor"], found["unlocks"]) == ("active", 4999, ["start_conversations"])
    assert (found["client_secret"], found["next_url"], found["failure"]) == (None, None, None)
    assert mine(anna)["id"] == found["id"]
    receipt = anna.get(f"{MINE}/receipts").json["receipts"][0]
    assert (receipt["price_minor"], receipt["plan"]) == (4999, "client-hunter")
    page = anna.get(f"{MINE}/receipts/{receipt['number']}?format=html")
    assert page.status_code == 200
    for words in (receipt["number"], "Client hunter", "49.99 EUR", "Paid to", "Marketplace"):
        assert words in page.text
    paper = anna.get(f"{MINE}/receipts/{receipt['number']}")
    assert paper.data.startswith(b"%PDF")
    assert told(anna) == ["plan_started"]


def test_a_receipt_is_for_its_payer(anna: Person, juris: Person, admin: Person, anybody: Person) -> None:
    begun(anna)
    number = anna.get(f"{MINE}/receipts").json["receipts"][0]["number"]

    assert [person.get(f"{MINE}/receipts/{number}").status_code for person in (juris, admin)] == [404, 404]
    assert anybody.get(f"{MINE}/receipts/{number}").status_code == 401
    for forged in (
        f"{number}0",
        "2026-999999",
        "C2026-000001",
        "x",
        "-",
        "2026-",
        f"{number} ",
        "2026-١٢٣٤٥٦",
        "9" * 60,
    ):
        assert anna.get(f"{MINE}/receipts/{forged}").status_code == 404, forged
    assert juris.get(f"{MINE}/receipts").json["receipts"] == []
    assert mine(juris) is None


@pytest.mark.parametrize(
    "body",
    [{}, {"plan": "free"}, {"plan": "old"}, {"plan": 7}, {"plan": ""}, {"plan": "x" * 31}],
)
def test_what_is_no_plan_is_refused(app: Flask, anna: Person, body: dict[str, Any]) -> None:
    answer = anna.post(MINE, body, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, charges(app)) == (422, 0)


def test_money_wants_a_key_and_a_provider_that_is_there(app: Flask, anna: Person) -> None:
    assert anna.post(MINE, {"plan": "premium"}).json["code"] == "no_idempotency_key"
    assert subscribe(anna, provider="paypal").status_code == 422
    assert anna.delete(MINE).status_code == 404
    assert charges(app) == 0


def test_a_price_that_is_sent_does_not_count(anna: Person) -> None:
    answer = subscribe(anna, amount=1, price_minor=1, currency="JPY", status="active", user_id=1, grace_days=99)
    assert (answer.json["subscription"]["price_minor"], answer.json["subscription"]["currency"]) == (4999, "EUR")


def test_a_declined_card_leaves_it_unpaid_and_another_pays(app: Flask, anna: Person, settle: Settle) -> None:
    first = begun(anna, method=DECLINED)
    settle()

    assert (first["status"], first["failure"], first["unlocks"]) == ("incomplete", "Your card was declined.", [])
    assert paid(anna) == []
    second = begun(anna)
    settle()
    assert (second["status"], second["failure"]) == ("active", None)
    assert second["id"] != first["id"]
    assert (paid(anna), charges(app), told(anna)) == ([4999], 1, ["plan_started"])


def test_a_challenge_is_passed_at_the_bank(anna: Person, settle: Settle, fake: Any, app: Flask) -> None:
    found = begun(anna, method=CHALLENGED)
    assert (found["status"], found["unlocks"]) == ("incomplete", [])
    assert found["client_secret"]
    name = found["next_url"].rpartition("/")[2]
    assert begun(anna, method=None)["id"] == found["id"]

    with app.app_context():
        fake.pass_challenge(name)
        db.session.remove()
    again = subscribe(anna, method=None)  # asks how it stands: the webhook has not come yet

    assert (again.status_code, again.json["code"]) == (409, "has_plan")
    settle()
    assert (mine(anna)["id"], mine(anna)["status"], paid(anna)) == (found["id"], "active", [4999])
    assert mine(anna)["client_secret"] is None


def test_a_webhook_alone_makes_it_active(anna: Person, settle: Settle, fake: Any, app: Flask) -> None:
    found = begun(anna, method=CHALLENGED)
    with app.app_context():
        fake.pass_challenge(found["next_url"].rpartition("/")[2])
        db.session.remove()
    settle()
    assert mine(anna)["status"] == "active"


def test_the_same_plan_again_is_a_conflict(app: Flask, anna: Person) -> None:
    begun(anna)
    answer = subscribe(anna)
    assert (answer.status_code, answer.json["code"], charges(app)) == (409, "has_plan", 1)


def test_the_same_key_again_answers_the_same(app: Flask, anna: Person) -> None:
    first, again = (subscribe(anna, key="k") for _ in range(2))
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert subscribe(anna, "premium", key="k").status_code == 422
    assert charges(app) == 1


def test_fifty_at_once_are_one_subscription_and_one_charge(app: Flask, anna: Person, settle: Settle) -> None:
    answers = burst([partial(subscribe, anna, key=f"k{number}") for number in range(50)])

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1, statuses
    assert set(statuses) <= {201, 409, 503}
    settle()
    assert (charges(app), paid(anna), mine(anna)["status"]) == (1, [4999], "active")


def test_a_payment_for_a_plan_is_the_same_thing(app: Flask, anna: Person) -> None:
    body = {"plan": "client-hunter", "payment_method": VISA}
    answer = anna.post("/api/payments", body, headers={"Idempotency-Key": "k"})

    payment = answer.json["payment"]
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(MINE)
    assert (payment["status"], payment["price_minor"], payment["fee"]) == ("released", 4999, 0.0)
    assert (payment["reference"], payment["task_id"]) == (f"subscription:{payment['id']}", None)
    assert payment["subscription"] == mine(anna)
    assert charges(app) == 1


def test_answers_have_the_documented_fields(anna: Person, juris: Person) -> None:
    body = {"plan": "premium", "payment_method": VISA}
    payment = anna.post("/api/payments", body, headers={"Idempotency-Key": "k"}).json["payment"]
    assert set(payment) == set(BegunPaymentSchema().fields)
    assert BegunPaymentSchema().validate(payment) == {}
    for one in (payment["subscription"], begun(juris, method=CHALLENGED), mine(anna)):
        assert set(one) == set(SubscriptionSchema().fields)
        assert SubscriptionSchema().validate(one) == {}
    receipt = anna.get(f"{MINE}/receipts").json["receipts"][0]
    assert (set(receipt), PlanReceiptSchema().validate(receipt)) == (set(PlanReceiptSchema().fields), {})
    plan = anna.get("/api/plans").json["plans"][0]
    assert (set(plan), PlanSchema().validate(plan)) == (set(PlanSchema().fields), {})


@pytest.mark.parametrize("body", [{}, {"plan": "premium", "task_id": 1}])
def test_a_payment_is_for_one_thing(anna: Person, body: dict[str, Any]) -> None:
    answer = anna.post("/api/payments", body, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["task_id"])


def test_writing_to_a_freelancer_first_comes_with_a_plan(
    app: Flask, anna: Person, juris: Person, admin: Person, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = sign_up(app, "helper", is_helper=True)
    helper.put("/api/auth/profile", {"is_helper": True})
    old_friend = sign_up(app, "friend")
    talk = old_friend.post(TALKS, {"user_id": helper.id, "message": "Good day."}).json["id"]
    offering = things.offering(helper)["id"]
    task = things.task(helper)["id"]
    things.assigned_task(juris, helper)
    statements.clear()
    assert sign_up(app, "free").post(TALKS, {"user_id": helper.id}).status_code == 201
    assert not [one for one in statements if "subscriptions" in one]
    monkeypatch.setitem(app.config, "CHAT_NEEDS_PLAN", True)

    refused = anna.post(TALKS, {"user_id": helper.id, "message": "Hello?"})
    assert (refused.status_code, refused.json["code"]) == (403, "plan_needed")
    assert "“Client hunter” or “Premium”" in refused.json["detail"]
    by_offering = anna.post(f"/api/offerings/{offering}/contact", {"message": "Hello?"})
    assert (by_offering.status_code, by_offering.json["code"]) == (403, "plan_needed")
    assert anna.get(TALKS).json["conversations"] == []

    assert old_friend.post(TALKS, {"user_id": helper.id, "message": "Again."}).status_code == 200
    assert old_friend.post(f"{TALKS}/{talk}/messages", {"content": "And again."}).status_code == 201
    assert anna.post(TALKS, {"user_id": helper.id, "task_id": task}).status_code == 201
    assert juris.post(TALKS, {"user_id": helper.id}).status_code == 201
    assert admin.post(TALKS, {"user_id": helper.id}).status_code == 201
    assert helper.post(TALKS, {"user_id": anna.id, "message": "From the other side."}).status_code == 201

    someone = sign_up(app, "someone")
    begun(someone, "badge")
    assert someone.post(TALKS, {"user_id": helper.id}).status_code == 403
    buyer = sign_up(app, "buyer")
    begun(buyer)
    statements.clear()
    assert buyer.post(TALKS, {"user_id": helper.id}).status_code == 201
    assert len([one for one in statements if "FROM subscriptions" in one]) == 1


def test_an_erased_account_pays_no_more(app: Flask, anna: Person, settle: Settle) -> None:
    begun(anna)
    answer = anna.delete("/api/auth/account", json={"password": PASSWORD})
    assert answer.status_code == 200, answer.json
    settle()

    with app.app_context():
        row = fetch(db.text("SELECT status, active_reference FROM subscriptions"))[0]
        ended = fetch(db.text("SELECT data FROM fake_things WHERE kind = 'subscription'"))[0].data
        db.session.remove()
    assert tuple(row) == ("ended", None)
    assert '"ended"' in str(ended).replace("'", '"')


def test_a_suspended_account_is_not_renewed(app: Flask, anna: Person, admin: Person, settle: Settle) -> None:
    begun(anna)
    admin.post("/api/auth/verify-password", {"password": PASSWORD})
    answer = admin.post(f"/api/admin/users/{anna.id}/ban", {"reason": "Spam"})
    assert answer.status_code == 200, answer.json
    settle()

    with app.app_context():
        row = fetch(db.text("SELECT status, cancel_at_period_end FROM subscriptions"))[0]
        db.session.remove()
    assert (row[0], bool(row[1])) == ("active", True)


def test_the_shipped_plans_can_be_begun(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PLANS_FILE", "")
    plans = anna.get("/api/plans").json["plans"]
    assert [(one["key"], one["amount"]) for one in plans] == [("client-hunter", 50.0), ("premium", 15.0)]
    assert begun(anna, "premium")["unlocks"] == ["featured"]


@pytest.mark.control
def test_control_without_the_mark_of_the_living_one_several_are_paid(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = service._begin

    def careless(*args: Any) -> Any:
        made = begin(*args)
        made.active_reference = None
        db.session.flush()
        return made

    monkeypatch.setattr(service, "_begin", careless)
    burst([partial(subscribe, anna, key=f"k{number}") for number in range(10)])
    assert charges(app) > 1


@pytest.mark.control
def test_control_an_invoice_that_is_not_booked_is_found(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_sync, "post", lambda lines: None)
    begun(anna)
    assert paid(anna) == [4999]


def test_a_booking_opens_the_door_once_both_want_it_and_ones_listing_is_open(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = sign_up(app, "helper", is_helper=True)
    helper.put("/api/auth/profile", {"is_helper": True})
    offering, listing = things.offering(helper)["id"], things.listing(helper)["id"]
    monkeypatch.setitem(app.config, "CHAT_NEEDS_PLAN", True)

    booked = anna.post(f"/api/offerings/{offering}/book", {"message": "On Monday?"}).json["id"]
    assert anna.post(TALKS, {"user_id": helper.id}).json["code"] == "plan_needed"
    assert anna.post(TALKS, {"user_id": helper.id, "listing_id": listing}).status_code == 201
    helper.post(f"/api/tasks/{booked}/start")
    assert anna.post(TALKS, {"user_id": helper.id}).status_code == 201
