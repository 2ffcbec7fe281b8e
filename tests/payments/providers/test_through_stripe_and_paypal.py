"""The whole story over HTTP with a real adapter and its provider's webhooks, lost and late ones too."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from marketplace.core.database.db import db
from marketplace.payments import jobs as money_jobs
from marketplace.payments.providers.provider import Paid
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.subscriptions import jobs as plan_jobs
from tests.conftest import make_app
from tests.factories import money, things
from tests.factories.people import Person, sign_up
from tests.payments.shops import PayPalShop, StripeShop
from tests.servers.paypal_orders import approve


def _deliver(app: Flask, shop: Any, **how: Any) -> None:
    for headers, body in shop.webhooks(**how):
        answer = app.test_client().post(f"/api/payments/webhooks/{shop.name}", data=body, headers=headers)
        assert answer.status_code == 200, answer.json
    money.work(app)


def _compared(app: Flask) -> list[Any]:
    with app.app_context():
        found = reconciliation_service.compare(
            datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
        )
        db.session.remove()
    return found


def _finish(owner: Person, worker: Person, task_id: int) -> None:
    for person, verb in ((worker, "start"), (worker, "done"), (owner, "confirm")):
        assert person.post(f"/api/tasks/{task_id}/{verb}").status_code == 200


def test_stripe_holds_releases_pays_out_and_takes_back(app: Flask, stripe: StripeShop) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="stripe", **stripe.server.settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker, budget=40)["id"]

    payment = money.pay(owner, task)
    assert (payment["status"], payment["provider"]) == ("held", "stripe")
    _deliver(shop, stripe, twice=True, shuffled=True)
    _finish(owner, worker, task)
    begun = worker.post("/api/payouts/onboarding", {"country": "LV"}, **money.key())
    assert begun.json["ready"] is False
    stripe.finish_onboarding(stripe.server.book.of_kind("account")[0]["id"])
    _deliver(shop, stripe)
    money.onboard(worker)
    payout = money.payout(worker, 36)["id"]
    money.work(shop)
    _deliver(shop, stripe, twice=True, shuffled=True)
    assert worker.get(f"/api/payouts/{payout}").json["status"] == "paid"
    staff = sign_up(shop, "staff", role="admin")
    staff.post(f"/api/payments/{payment['id']}/refund", {"amount": 40}, **money.key())
    money.work(shop)
    _deliver(shop, stripe)

    assert owner.get(f"/api/payments/{payment['id']}").json["status"] == "refunded"
    assert money.balances(worker) == {"EUR": (-3600, 0, 0)}
    assert (stripe.count("held"), stripe.count("refunds"), stripe.count("payouts")) == (1, 1, 1)
    assert _compared(shop) == []


@pytest.mark.parametrize("mood", ["down", "reset", "answer lost"])
def test_what_stripe_did_and_did_not_say_is_asked_for(app: Flask, stripe: StripeShop, mood: str) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="stripe", **stripe.server.settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker, budget=40)["id"]
    with stripe.in_mood(mood):
        payment = money.pay(owner, task)
        assert payment["status"] == "created"
    money.later(shop)
    money.later(shop)

    assert owner.get(f"/api/payments/{payment['id']}").json["status"] == "held"
    assert (stripe.count("payments"), stripe.count("held")) == (1, 1)


def test_a_payer_who_pays_in_the_browser_is_found_by_asking(app: Flask, stripe: StripeShop) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="stripe", **stripe.server.settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker, budget=40)["id"]
    begun = owner.post("/api/payments", {"task_id": task}, **money.key()).json["payment"]
    intent = stripe.server.book.of_kind("payment_intent")[0]["id"]
    stripe.pay(stripe.provider.fetch_payment(intent))

    _asked_later(shop)
    money.later(shop)
    assert owner.get(f"/api/payments/{begun['id']}").json["status"] == "held"


def test_paypal_is_approved_there_and_held_here(app: Flask, paypal: PayPalShop) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="paypal", **paypal.server.settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker, budget=40)["id"]
    begun = owner.post("/api/payments", {"task_id": task}, **money.key()).json["payment"]
    assert begun["status"] == "requires_action"
    assert begun["next_url"].startswith("http")
    approve(paypal.server.book, paypal.server.book.of_kind("order")[0]["id"], "good")

    paid = owner.post(f"/api/payments/{begun['id']}/confirm", **money.key())
    assert paid.json["payment"]["status"] == "held", paid.json
    _finish(owner, worker, task)
    money.onboard(worker)
    payout = money.payout(worker, 36)["id"]
    money.work(shop)
    assert worker.get(f"/api/payouts/{payout}").json["status"] == "sent"
    paypal.payout_arrives(paypal.server.book.of_kind("payout")[0]["id"])
    _asked_later(shop)
    assert worker.get(f"/api/payouts/{payout}").json["status"] == "paid"
    assert _compared(shop) == []


def test_who_names_another_provider_pays_there_and_nowhere_else(
    app: Flask, stripe: StripeShop, paypal: PayPalShop
) -> None:
    settings = {**stripe.server.settings, **paypal.server.settings, "PAYMENT_PROVIDERS": "stripe,paypal"}
    shop = make_app(app.config["DATABASE_URL"], **settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    task = things.assigned_task(owner, worker, budget=40, payment="escrow")["id"]
    first = owner.get("/api/payments", query_string={"task_id": task}).json["payments"][0]
    assert (first["provider"], first["status"]) == ("stripe", "requires_payment_method")

    begun = owner.post("/api/payments", {"task_id": task, "provider": "paypal"}, **money.key()).json["payment"]
    assert (begun["provider"], begun["status"]) == ("paypal", "requires_action")
    money.later(shop)
    assert owner.get(f"/api/payments/{first['id']}").json["status"] == "cancelled"
    approve(paypal.server.book, paypal.server.book.of_kind("order")[0]["id"], "good")
    assert owner.post(f"/api/payments/{begun['id']}/confirm", **money.key()).json["payment"]["status"] == "held"
    too_late = owner.post("/api/payments", {"task_id": task, "provider": "stripe"}, **money.key())
    assert (too_late.status_code, too_late.json["code"]) == (409, "paid_already")
    assert (stripe.count("held"), stripe.count("payments")) == (0, 1)
    assert _compared(shop) == []


def _asked_later(shop: Flask) -> None:
    """No webhook came: the clock asks."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        money.clockwork(shop, money_jobs.ask_about_payments)


def test_what_the_provider_has_no_unit_for_is_said_before_and_the_calendar_sends_the_rest(
    app: Flask, stripe: StripeShop
) -> None:
    settings = {"PAYMENT_PROVIDERS": "stripe", "PAYOUT_SCHEDULE": "daily", **stripe.server.settings}
    shop = make_app(app.config["DATABASE_URL"], **settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    odd = things.assigned_task(owner, worker, budget=1.005, currency="KWD")["id"]
    refused = owner.post("/api/payments", {"task_id": odd}, **money.key())
    assert (refused.status_code, refused.json["errors"]["price"]) == (
        422,
        ["The payment provider takes KWD in steps of 0.010 only."],
    )
    task = things.assigned_task(owner, worker, budget=999, currency="HUF")["id"]
    paid = money.pay(owner, task)["id"]
    assert paid
    _finish(owner, worker, task)
    worker.post("/api/payouts/onboarding", {"country": "HU"}, **money.key())
    stripe.finish_onboarding(stripe.server.book.of_kind("account")[0]["id"])
    _deliver(shop, stripe)
    assert money.balances(worker) == {"HUF": (89910, 0, 0)}
    asked = worker.post("/api/payouts", {"amount": 899.1, "currency": "HUF"}, **money.key())
    assert (asked.status_code, list(asked.json["errors"])) == (422, ["amount"])
    money.clockwork(shop, money_jobs.pay_out_by_calendar)
    money.work(shop)
    assert [(one["amount"], one["status"]) for one in worker.get("/api/payouts").json["payouts"]] == [(899.0, "paid")]
    assert money.balances(worker) == {"HUF": (10, 0, 0)}


@pytest.mark.parametrize("mood", ["down", "reset"])
def test_a_webhook_nobody_can_vouch_for_now_is_asked_for_again(app: Flask, paypal: PayPalShop, mood: str) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="paypal", **paypal.server.settings)
    owner, worker = sign_up(shop, "owner"), sign_up(shop, "worker")
    owner.post("/api/payments", {"task_id": things.assigned_task(owner, worker, budget=40)["id"]}, **money.key())
    approve(paypal.server.book, paypal.server.book.of_kind("order")[0]["id"], "good")
    headers, body = paypal.webhooks()[0]
    with paypal.in_mood(mood):
        answer = shop.test_client().post("/api/payments/webhooks/paypal", data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert shop.test_client().post("/api/payments/webhooks/paypal", data=body, headers=headers).status_code == 200


def test_who_agrees_after_the_end_is_not_charged_for_good(app: Flask, paypal: PayPalShop) -> None:
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS="paypal", **paypal.server.settings)
    ilze = sign_up(shop, "ilze")
    begun = ilze.post("/api/subscription", {"plan": "client-hunter"}, **money.key()).json["subscription"]
    assert begun["status"] == "incomplete", begun
    ilze.delete("/api/subscription?now=true")
    money.later(shop)
    assert ilze.get("/api/subscription").json["subscription"] is None
    name = paypal.server.book.of_kind("subscription")[0]["id"]
    paypal.subscriber_pays(paypal.provider.fetch_subscription(name))

    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        money.clockwork(shop, plan_jobs.ask_about_subscriptions)
        money.work(shop)
    assert paypal.provider.fetch_subscription(name).status is Paid.ENDED


@pytest.mark.parametrize("name", ["stripe", "paypal"])
def test_what_was_paid_for_a_plan_goes_back(app: Flask, name: str, stripe: StripeShop, paypal: PayPalShop) -> None:
    at: Any = {"stripe": stripe, "paypal": paypal}[name]
    shop = make_app(app.config["DATABASE_URL"], PAYMENT_PROVIDERS=name, **at.server.settings)
    ilze, staff = sign_up(shop, "ilze"), sign_up(shop, "staff", role="admin")
    ilze.post("/api/subscription", {"plan": "client-hunter"}, **money.key())
    at.subscriber_pays(at.provider.fetch_subscription(at.server.book.of_kind("subscription")[0]["id"]))
    _deliver(shop, at)
    invoice = staff.get("/api/admin/invoices").json["invoices"][0]
    path = f"/api/admin/invoices/{invoice['id']}"

    with at.in_mood("answer lost"):
        assert staff.post(f"{path}/refund", {"amount": 10}, **money.key()).status_code == 200
        money.work(shop)
    money.later(shop)
    assert staff.post(f"{path}/refund", {}, **money.key()).status_code == 200
    money.work(shop)
    _deliver(shop, at, twice=True, shuffled=True)

    refunds = [(one["status"], one["price_minor"]) for one in staff.get(path).json["refunds"]]
    assert refunds == [("done", 1000), ("done", invoice["price_minor"] - 1000)]
    assert at.count("refunds") == 2
    assert ilze.get("/api/subscription").json["subscription"]["status"] == "active"
    assert _compared(shop) == []
