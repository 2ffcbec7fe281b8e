"""An API key moves money only with the scope that says so, whatever the route is called and wherever it lives."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from marketplace.core.database.db import db, fetch
from marketplace.core.http.access import MOVES_MONEY
from tests.declared import SCOPES
from tests.disputes import stage
from tests.factories import money, things
from tests.factories.people import Person

PAYS = {"payment_method": money.VISA, "price": 40}
Way = Callable[[Person, Person], tuple[Person, str, dict[str, Any]]]


def _accept(owner: Person, worker: Person, **body: Any) -> tuple[Person, str, dict[str, Any]]:
    task = things.task(owner, payment="outside" if "payment_method" in body else "escrow")["id"]
    return owner, f"/api/tasks/{task}/applications/{things.application(worker, task)['id']}/accept", body


def _accept_in_body(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    task = things.task(owner)["id"]
    return owner, f"/api/tasks/{task}/accept-application", {**PAYS, **_chosen(worker, task)}


def _chosen(worker: Person, task: int) -> dict[str, Any]:
    return {"application_id": things.application(worker, task)["id"]}


def _paid(verb: str, *before: str, by_worker: bool = False, area: str = "tasks") -> Way:
    def way(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
        task = money.paid_task(owner, worker)["id"]
        for step in before:
            assert worker.post(f"/api/tasks/{task}/{step}").status_code == 200
        path = f"/api/payments/tasks/{task}/{verb}" if area == "payments" else f"/api/tasks/{task}/{verb}"
        return worker if by_worker else owner, path, {}

    return way


def _hand_over(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    task = money.paid_task(owner, worker)["id"]
    code = owner.post(f"/api/tasks/{task}/handover-code").json["code"]
    return worker, f"/api/tasks/{task}/handover", {"code": code}


def _book(owner: Person, worker: Person, **body: Any) -> tuple[Person, str, dict[str, Any]]:
    return owner, f"/api/offerings/{things.offering(worker, price=40)['id']}/book", {"price": 40, **body}


def _offer(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    dispute = stage.dispute(owner, stage.paid_task(owner, worker))["id"]
    return worker, f"/api/disputes/{dispute}/offers", {"amount": 20}


def _offer_before_it_is_held(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    task = stage.running_task(owner, worker)
    assert owner.post("/api/payments", {"task_id": task}, **money.key()).status_code == 201
    return worker, f"/api/disputes/{stage.dispute(owner, task)['id']}/offers", {"outcome": "completed"}


def _accept_offer(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    _, path, body = _offer(owner, worker)
    made = worker.post(path, body).json["dispute"]["offers"][-1]["id"]
    return owner, f"{path}/{made}/accept", {}


def _pay(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    return owner, "/api/payments", {"task_id": things.assigned_task(owner, worker)["id"], **PAYS}


def _pay_by_task(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    return owner, f"/api/payments/tasks/{things.assigned_task(owner, worker)['id']}/pay", PAYS


def _confirm_payment(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    task = things.assigned_task(owner, worker)["id"]
    begun = owner.post("/api/payments", {"task_id": task}, **money.key()).json["id"]
    return owner, f"/api/payments/{begun}/confirm", PAYS


def _give_back(owner: Person, worker: Person) -> tuple[Person, str, dict[str, Any]]:
    return worker, f"/api/payments/{money.paid_task(owner, worker)['paid']['id']}/refund", {"amount": 1}


MOVES: dict[str, Way] = {
    "applications.accept_application_by_path": lambda owner, worker: _accept(owner, worker, **PAYS),
    "applications.accept_application_by_path, held": lambda owner, worker: _accept(owner, worker, price=40),
    "applications.accept_application": _accept_in_body,
    "tasks.confirm_task": _paid("confirm", "start", "done"),
    "tasks.cancel_task": _paid("cancel"),
    "tasks.decline_task": _paid("decline", by_worker=True),
    "handing_over.show_handover_code": _paid("handover-code"),
    "handing_over.hand_over_task": _hand_over,
    "offerings.book_offering": lambda owner, worker: _book(owner, worker, payment_method=money.VISA),
    "offerings.book_offering, held": lambda owner, worker: _book(owner, worker, payment="escrow"),
    "disputes.make_offer": _offer,
    "disputes.make_offer, not held yet": _offer_before_it_is_held,
    "disputes.accept_offer": _accept_offer,
    "task_payments.begin_payment": _pay,
    "task_payments.pay_for_task": _pay_by_task,
    "task_payments.release_payment": _paid("release-payment", "start", "done", area="payments"),
    "task_payments.refund_task": _paid("refund", area="payments"),
    "payments.confirm_payment": _confirm_payment,
    "payments.refund_payment": _give_back,
    "subscription.start_subscription": lambda owner, _: (owner, "/api/subscription", {"plan": "premium"}),
}
# Routes of the slices that know of deals, by which no money is held, released, divided or given back.
STILL = {
    *(f"tasks.{name}" for name in ("post_task", "edit_task", "delete_task", "start_task", "finish_task")),
    *("tasks.mark_task_done", "tasks.dispute_task"),
    *(f"applications.{name}_application" for name in ("reject", "withdraw")),
    "applications.apply_for_task",
    *(f"offerings.{name}_offering" for name in ("post", "edit", "delete", "pause", "activate", "close")),
    *(f"disputes.{name}" for name in ("open_dispute", "respond_to_dispute", "add_evidence", "appeal_decision")),
    *(f"disputes.{name}" for name in ("decline_offer", "withdraw_offer", "withdraw_dispute")),
    "subscription.end_subscription",  # nothing is paid back; opened by payments:write all the same
    "payouts.cancel_payout",  # needs a payout, which no key can ask for; opened by payments:write all the same
}
AREAS = {"tasks", "offerings", "disputes", "payments"}


def _sent(caller: Person, key: str, path: str, body: dict[str, Any]) -> TestResponse:
    program = Person(caller.app, caller.user)
    headers = {"X-API-Key": key, **money.key()["headers"]}
    return program.post(path, body, headers=headers)


def _key(person: Person, *scopes: str) -> str:
    answer = person.post("/api/auth/api-keys", {"name": "robot", "scopes": list(scopes)})
    return str(answer.json["key"])


def _moved(app: Flask) -> list[int]:
    """How much has happened to money."""
    with app.app_context():
        tables = ("ledger_transfers", "provider_calls", "payments", "hand_over_codes", "dispute_offers")
        counts = [int(fetch(text(f"SELECT COUNT(*) FROM {table}"))[0][0]) for table in tables]
        wishes = int(fetch(text("SELECT COUNT(*) FROM payments WHERE intended_outcome <> 'hold'"))[0][0])
        db.session.remove()
    return [*counts, wishes]


@pytest.mark.parametrize("name", MOVES)
def test_a_key_without_the_scope_moves_no_money(app: Flask, anna: Person, juris: Person, name: str) -> None:
    caller, path, body = MOVES[name](anna, juris)
    before = _moved(app)
    refused = _sent(caller, _key(caller, *(scope for scope in SCOPES if scope != MOVES_MONEY)), path, body)
    assert (refused.status_code, refused.json["code"]) == (403, "scope"), refused.json
    assert MOVES_MONEY in refused.json["error"]
    assert _moved(app) == before
    done = _sent(caller, _key(caller, *SCOPES), path, body)
    assert done.status_code in {200, 201}, done.json
    assert _moved(app) != before


def test_without_money_the_scope_of_the_route_is_enough(anna: Person, juris: Person) -> None:
    task = things.task(anna)["id"]
    accept = f"/api/tasks/{task}/applications/{things.application(juris, task)['id']}/accept"
    key = _key(anna, "tasks:write")
    assert _sent(anna, key, accept, {}).status_code == 200
    for verb in ("start", "done"):
        juris.post(f"/api/tasks/{task}/{verb}")
    assert _sent(anna, key, f"/api/tasks/{task}/confirm", {}).status_code == 200


def test_every_route_by_which_a_key_could_move_money_is_tried_here(apps: dict[str, Flask]) -> None:
    tried = {name.partition(",")[0] for name in MOVES}
    app, unknown = apps["sqlite"], []
    for rule in app.url_map.iter_rules():
        guard: Any = getattr(app.view_functions[rule.endpoint], "guard", None)
        if guard is None or not guard.scope.endswith(":write") or guard.scope.partition(":")[0] not in AREAS:
            continue
        opens = guard.access.token == "access" and not (guard.access.permission or guard.access.proof)
        if opens and rule.endpoint not in tried | STILL and not rule.endpoint.startswith("v1"):
            unknown.append(rule.endpoint)
    assert sorted(set(unknown)) == []
    assert sorted(name for name in tried | STILL if name not in app.view_functions) == []
