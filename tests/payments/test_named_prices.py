"""What is paid is what whoever pays has named: a price that changed meanwhile is refused, with both prices."""

from typing import Any

import pytest
from flask import Flask

from tests.conftest import make_app
from tests.factories import money, things
from tests.factories.people import Person, sign_up

PAYS = {"payment_method": money.VISA}


def book(client: Person, offering: int, **body: Any) -> Any:
    """A booking."""
    return client.post(f"/api/offerings/{offering}/book", body, **money.key())


def paid_as(client: Person, task: dict[str, Any]) -> str:
    """How its payment stands."""
    return str(client.get(f"/api/payments/{task['payment_id']}").json["status"])


def refused(answer: Any, *amounts: str) -> bool:
    """Because of another price, and every one of these is told."""
    assert (answer.status_code, answer.json["code"]) == (409, "price_changed"), answer.json
    return all(amount in answer.json["error"] for amount in amounts)


def test_a_booking_costs_what_was_seen_or_is_refused(anna: Person, juris: Person) -> None:
    offering = things.offering(juris, price=20)["id"]
    assert juris.put(f"/api/offerings/{offering}", {"price": 9999}).status_code == 200

    for body in ({"price": 20}, {"price": 20, **PAYS}, {"budget": 0.50}, {"price": 20, "payment": "escrow"}):
        named = "0.50" if "budget" in body else "20.00"
        assert refused(book(anna, offering, **body), f"{named} EUR", "9999.00 EUR")
    assert refused(book(anna, offering, price=9999, currency="KWD"), "9999.000 KWD", "9999.00 EUR")
    for unnamed in (PAYS, {"payment": "escrow"}):
        answer = book(anna, offering, **unnamed)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["price"])
        assert "9999.00 EUR" in answer.json["error"]
    assert (anna.get("/api/payments").json["total"], anna.get("/api/tasks/created").json["total"]) == (0, 0)

    paid = book(anna, offering, price=9999, currency="EUR", **PAYS).json["task"]
    assert (paid["budget"], paid_as(anna, paid)) == (9999.0, "held")
    assert book(anna, offering, message="As ever").json["task"]["budget"] == 9999.0  # nothing is charged


def test_what_has_no_price_for_the_whole_costs_what_the_client_names(anna: Person, juris: Person) -> None:
    offering = things.offering(juris, price=20, price_type="hourly")["id"]
    assert book(anna, offering, price=60, **PAYS).json["task"]["budget"] == 60.0
    assert book(anna, offering, budget=50).json["task"]["budget"] == 50.0
    assert book(anna, offering).json["task"]["budget"] is None
    assert book(anna, offering, **PAYS).status_code == 422
    assert list(book(anna, offering, price=20, budget=60).json["errors"]) == ["budget"]


def test_where_everything_is_held_a_booking_names_its_price(app: Flask, juris: Person) -> None:
    held = make_app(app.config["DATABASE_URL"], TASK_PAYMENT="escrow")
    client, offering = sign_up(held, "client"), things.offering(juris, price=20)["id"]
    assert book(client, offering).status_code == 422
    assert book(client, offering, payment="outside").status_code == 201
    assert paid_as(client, book(client, offering, price=20).json["task"]) == "requires_payment_method"


@pytest.mark.parametrize("form", ["path", "body"])
def test_who_pays_while_accepting_names_the_price(anna: Person, juris: Person, form: str) -> None:
    task = things.task(anna, budget=40)["id"]
    offered = things.application(juris, task, proposed_price=35)["id"]
    path = f"/api/tasks/{task}/" + (f"applications/{offered}/accept" if form == "path" else "accept-application")
    which = {} if form == "path" else {"application_id": offered}
    unnamed = anna.post(path, {**which, **PAYS})
    assert (unnamed.status_code, list(unnamed.json["errors"])) == (422, ["price"])
    assert refused(anna.post(path, {**which, **PAYS, "price": 40}), "40.00 EUR", "35.00 EUR")
    assert refused(anna.post(path, {**which, "price": 35, "currency": "USD"}), "35.00 USD", "35.00 EUR")
    assert anna.post(path, {**which, **PAYS, "price": 35, "currency": "EUR"}).status_code == 200
    assert anna.get("/api/payments").json["payments"][0]["amount"] == 35.0


@pytest.mark.parametrize("form", ["path", "body"])
def test_where_money_is_held_accepting_names_the_price(anna: Person, juris: Person, form: str) -> None:
    task = things.task(anna, budget=40, payment="escrow")["id"]
    offered = things.application(juris, task, proposed_price=40)["id"]
    assert juris.delete(f"/api/tasks/{task}/applications/{offered}").status_code == 200
    assert things.application(juris, task, proposed_price=6000)["id"] == offered
    path = f"/api/tasks/{task}/" + (f"applications/{offered}/accept" if form == "path" else "accept-application")
    which = {} if form == "path" else {"application_id": offered}
    unnamed = anna.post(path, which)
    assert (unnamed.status_code, list(unnamed.json["errors"])) == (422, ["price"])
    assert "6000.00 EUR" in unnamed.json["error"]
    assert refused(anna.post(path, {**which, "price": 40}), "40.00 EUR", "6000.00 EUR")
    assert anna.get("/api/payments").json["total"] == 0
    assert anna.post(path, {**which, "price": 6000}).json["task"]["agreed_price"] == 6000.0


def test_a_price_in_a_currency_that_is_not_the_payers_is_named_with_it(anna: Person, juris: Person) -> None:
    offering = things.offering(juris, price=20)["id"]
    assert juris.put(f"/api/offerings/{offering}", {"currency": "KWD", "price": 20}).status_code == 200
    task = things.task(anna, budget=20, currency="KWD", payment="escrow")["id"]
    accept = f"/api/tasks/{task}/applications/{things.application(juris, task)['id']}/accept"
    for path, body in ((f"/api/offerings/{offering}/book", PAYS), (accept, {}), (accept, PAYS)):
        unnamed = anna.post(path, {"price": 20, **body}, **money.key())
        assert (unnamed.status_code, list(unnamed.json["errors"])) == (422, ["currency"])
        assert "KWD" in unnamed.json["error"]
        assert refused(anna.post(path, {"price": 20, "currency": "EUR", **body}, **money.key()), "20.00 EUR", "20.000")
    assert anna.get("/api/payments").json["total"] == 0
    assert anna.post(accept, {"price": 20, "currency": "KWD", **PAYS}).status_code == 200
    assert book(anna, offering, price=20).status_code == 201  # nothing is charged yet


@pytest.mark.parametrize("budget", [30, 50, 0])
def test_an_application_without_a_price_is_for_the_budget_it_was_made_for(
    anna: Person, juris: Person, budget: int
) -> None:
    task = things.task(anna, budget=40)["id"]
    offered = things.application(juris, task)["id"]
    assert anna.put(f"/api/tasks/{task}", {"budget": budget}).status_code == 200
    accept = f"/api/tasks/{task}/applications/{offered}/accept"
    assert juris.get(f"/api/tasks/{task}/applications/{offered}").json["amount"] == 40.0
    assert anna.get(f"/api/payments/tasks/{task}/quote?application_id={offered}").json["amount"] == 40.0

    assert refused(anna.post(accept), "40.00 EUR", f"{budget}.00")
    assert refused(anna.post(accept, {"price": budget, **PAYS}), f"{budget}.00 EUR", "40.00 EUR")
    assert anna.post(accept, {"price": 40}).json["task"]["agreed_price"] == 40.0


def test_a_budget_changed_and_changed_back_can_be_accepted_as_ever(anna: Person, juris: Person) -> None:
    task = things.task(anna, budget=40)["id"]
    offered = things.application(juris, task)["id"]
    for budget in (30, 40):
        anna.put(f"/api/tasks/{task}", {"budget": budget})
    assert anna.post(f"/api/tasks/{task}/applications/{offered}/accept").json["task"]["agreed_price"] == 40.0


def test_who_applies_again_agrees_to_the_budget_of_then(anna: Person, juris: Person) -> None:
    task = things.task(anna, budget=40)["id"]
    offered = things.application(juris, task)["id"]
    anna.put(f"/api/tasks/{task}", {"budget": 30})
    juris.delete(f"/api/tasks/{task}/applications/{offered}")
    assert things.application(juris, task)["id"] == offered
    assert anna.post(f"/api/tasks/{task}/applications/{offered}/accept").json["task"]["agreed_price"] == 30.0


def test_whoever_pays_by_a_method_names_the_price_or_has_been_answered_it(anna: Person, juris: Person) -> None:
    offering = things.offering(juris, price=20)["id"]
    juris.put(f"/api/offerings/{offering}", {"price": 9999})
    task = book(anna, offering).json["task"]["id"]
    ways = {"/api/payments": {"task_id": task}, f"/api/payments/tasks/{task}/pay": {}}
    for path, body in ways.items():
        unnamed = anna.post(path, {**body, **PAYS}, **money.key())
        assert (unnamed.status_code, list(unnamed.json["errors"])) == (422, ["price"])
        assert "9999.00 EUR" in unnamed.json["error"]
    assert anna.get("/api/payments").json["total"] == 0
    begun = anna.post("/api/payments", {"task_id": task}, **money.key()).json["payment"]
    assert (begun["amount"], begun["status"]) == (9999.0, "requires_payment_method")
    assert anna.post(f"/api/payments/{begun['id']}/confirm", PAYS, **money.key()).json["payment"]["status"] == "held"


def test_paying_and_confirming_cost_what_was_named(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    ways = {"/api/payments": {"task_id": task}, f"/api/payments/tasks/{task}/pay": {}}
    for path, body in ways.items():
        assert refused(anna.post(path, {**body, "price": 20, **PAYS}, **money.key()), "20.00 EUR", "40.00 EUR")
    begun = anna.post("/api/payments", {"task_id": task, "price": 40, "currency": "EUR"}, **money.key()).json["id"]
    confirm = f"/api/payments/{begun}/confirm"
    assert refused(anna.post(confirm, {"price": 41, **PAYS}, **money.key()), "41.00 EUR", "40.00 EUR")
    assert anna.post(confirm, {"price": 40, **PAYS}, **money.key()).json["payment"]["status"] == "held"


def test_a_plan_costs_what_was_named(anna: Person) -> None:
    plans = {plan["key"]: plan for plan in anna.get("/api/plans").json["plans"]}
    cheap, dear = sorted(plans.values(), key=lambda plan: float(plan["amount"]))[:2]
    for path in ("/api/subscription", "/api/payments"):
        wrong = {"plan": cheap["key"], "price": cheap["amount"] + 1, **PAYS}
        assert refused(anna.post(path, wrong, **money.key()), f"{cheap['amount']:.2f} EUR")
    right = {"plan": cheap["key"], "price": cheap["amount"], "currency": "EUR", **PAYS}
    assert anna.post("/api/subscription", right, **money.key()).json["subscription"]["status"] == "active"
    change = {"plan": dear["key"], "price": cheap["amount"]}
    assert refused(anna.post("/api/subscription", change, **money.key()), f"{dear['amount']:.2f} EUR")
