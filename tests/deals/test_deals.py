"""What two people agreed on, over HTTP: its stage, its money, its timeline, and who sees it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from marketplace.core.database.db import db, execute, in_transaction
from tests.disputes.stage import answered, paid_task, resolve, running_task
from tests.factories import money, things
from tests.factories.people import Person

PATH = "/api/deals"


def deal(person: Person, task_id: int) -> dict[str, Any]:
    """The deal of a task."""
    answer = person.get(f"{PATH}/task:{task_id}")
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def test_a_task_is_no_deal_until_somebody_does_it(anna: Person, juris: Person) -> None:
    task = things.task(anna, budget=40)["id"]
    assert anna.get(f"{PATH}/task:{task}").status_code == 404
    assert anna.get(PATH).json["deals"] == []


def test_the_stage_follows_the_task_to_its_end(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    stages = [deal(anna, task)["stage"]]
    for person, verb in ((juris, "start"), (juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task}/{verb}").status_code == 200
        stages.append(deal(juris, task)["stage"])
    assert stages == ["agreed", "active", "delivered", "completed"]
    ended = deal(anna, task)
    assert ended["delivered_at"] <= ended["completed_at"]
    assert (ended["price_minor"], ended["side"], ended["link"]) == (4000, "client", f"/api/tasks/{task}")
    assert (ended["client_id"], ended["provider_id"], deal(juris, task)["side"]) == (anna.id, juris.id, "provider")


def test_declined_it_is_over_and_with_somebody_else_agreed_anew(anna: Person, juris: Person, stranger: Person) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    assert juris.post(f"/api/tasks/{task}/decline").status_code == 200
    over = deal(juris, task)
    assert (over["stage"], over["cancelled_at"] is None) == ("cancelled", False)

    applied = things.application(stranger, task)["id"]
    assert anna.post(f"/api/tasks/{task}/applications/{applied}/accept").status_code == 200
    again = deal(anna, task)
    assert (again["stage"], again["cancelled_at"], again["provider_id"]) == ("agreed", None, stranger.id)
    assert juris.get(f"{PATH}/task:{task}").status_code == 404


def test_a_dispute_stops_a_deal_and_its_end_is_the_deals(anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = answered(anna, juris, task)
    assert deal(anna, task)["stage"] == "disputed"
    assert resolve(admin, path, worker_amount=0).status_code == 200
    juris.post(f"{path}/appeal", {"reason": "Half of it stands."})
    assert resolve(admin, path, worker_amount=0).status_code == 200
    assert deal(anna, task)["stage"] == "cancelled"


def test_a_withdrawn_dispute_puts_it_back_to_work(anna: Person, juris: Person) -> None:
    task = running_task(anna, juris)
    path = answered(anna, juris, task)
    assert anna.post(f"{path}/withdraw").status_code == 200
    assert deal(anna, task)["stage"] == "active"


def test_the_list_is_narrowed_by_kind_stage_and_side(anna: Person, juris: Person, stranger: Person) -> None:
    mine, theirs = running_task(anna, juris), things.assigned_task(juris, anna)["id"]
    offering = things.offering(juris, price=30)["id"]
    booked = anna.post(f"/api/offerings/{offering}/book", {}, **money.key())
    assert booked.status_code == 201, booked.json

    def listed(**query: str) -> list[str]:
        return [one["reference"] for one in anna.get(PATH, query_string=query).json["deals"]]

    booking = f"task:{booked.json['task']['id']}"
    assert listed() == [booking, f"task:{theirs}", f"task:{mine}"]
    assert listed(kind="booking") == [booking]
    assert listed(side="client") == [booking, f"task:{mine}"]
    assert listed(side="provider", stage="agreed") == [f"task:{theirs}"]
    assert listed(stage="active") == [f"task:{mine}"]
    assert anna.get(PATH, query_string={"stage": "lost"}).status_code == 422
    assert stranger.get(PATH).json["deals"] == []


def test_its_money_is_quoted_held_and_listed(anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = f"{PATH}/task:{task}"
    quoted = anna.get(f"{path}/quote").json
    assert (quoted["price_minor"], quoted["payee_minor"]) == (4000, 3600)
    assert (deal(juris, task)["held_minor"], deal(juris, task)["held"]) == (4000, 40.0)
    (paid,) = juris.get(f"{path}/payments").json["payments"]
    assert (paid["reference"], paid["status"], paid["client_secret"]) == (f"task:{task}", "held", None)


def test_without_a_price_there_is_nothing_to_quote(anna: Person, juris: Person) -> None:
    task = things.assigned_task(anna, juris, budget=None)["id"]
    assert deal(anna, task)["price"] is None
    assert anna.get(f"{PATH}/task:{task}/quote").status_code == 409


def test_the_timeline_tells_who_did_what(anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    assert juris.post(f"/api/tasks/{task}/done").status_code == 200
    told = anna.get(f"{PATH}/task:{task}/timeline").json["timeline"]
    steps = [(step["about"], step["to_state"], step["by"]) for step in told]
    assert steps[0] == ("deal", "agreed", "client")
    assert [step for step in steps if step[0] == "task"] == [
        ("task", "in_progress", "provider"),
        ("task", "pending_confirmation", "provider"),
    ]
    assert ("payment", "held", "system") in steps
    assert [step["at"] for step in told] == sorted(step["at"] for step in told)


def test_it_is_handed_over_by_the_clients_code(anna: Person, juris: Person, stranger: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = f"{PATH}/task:{task}"
    assert juris.post(f"{path}/handover-code").status_code == 403
    code = anna.post(f"{path}/handover-code").json["code"]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert juris.post(f"{path}/handover", {"code": wrong}).status_code == 422
    assert stranger.post(f"{path}/handover", {"code": code}).status_code == 404
    assert juris.post(f"{path}/handover", {"code": code}).json["deal"]["stage"] == "completed"
    assert money.balances(juris)["EUR"][:2] == (3600, 0)


@pytest.mark.parametrize("rest", ["", "/payments", "/quote", "/timeline"])
def test_others_find_nothing(anna: Person, juris: Person, stranger: Person, admin: Person, rest: str) -> None:
    task = things.assigned_task(anna, juris, budget=40)["id"]
    assert stranger.get(f"{PATH}/task:{task}{rest}").status_code == 404
    assert admin.get(f"{PATH}/task:{task}{rest}").status_code == 200
    assert anna.get(f"{PATH}/nothing:0{rest}").status_code == 404


@pytest.mark.control
def test_control_a_stage_that_is_written_by_hand_is_found(app: Flask, anna: Person, juris: Person) -> None:
    things.assigned_task(anna, juris)
    with app.app_context():
        in_transaction(lambda: execute(text("UPDATE deals SET stage = 'active'")))
        db.session.remove()


@pytest.mark.parametrize(
    "name", ["task:", "task:x", "nothing:1", "task:99999999999999999999", "task:١", "7", ":", "a" * 40]
)
def test_a_deal_that_cannot_be_is_not_found(anna: Person, juris: Person, name: str) -> None:
    assert anna.get(f"{PATH}/{name}").status_code == 404
    said = {"reason": "other", "description": "There is nothing of this name."}
    assert anna.post("/api/disputes", {"deal": name, **said}).status_code == 404
    review = {"reviewed_user_id": juris.id, "rating": 5, "deal": name}
    assert anna.post("/api/reviews", review).status_code == 404


def test_it_is_disputed_and_reviewed_by_its_name(anna: Person, juris: Person, stranger: Person) -> None:
    task = running_task(anna, juris)
    body = {"deal": f"task:{task}", "reason": "other", "description": "The whole shelf is crooked."}
    assert anna.post("/api/disputes", {**body, "task_id": task}).status_code == 422
    assert stranger.post("/api/disputes", body).status_code == 404
    for name in (f"booking:{task}", f"task:0{task}", f"TASK:{task}", f"task:+{task}"):
        assert anna.post("/api/disputes", {**body, "deal": name}).status_code == 404
    opened = anna.post("/api/disputes", body).json["dispute"]
    assert (opened["deal"], opened["task_id"]) == (f"task:{task}", task)
    assert anna.post(f"/api/disputes/{opened['id']}/withdraw").status_code == 200
    for person, verb in ((juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task}/{verb}").status_code == 200
    review = {"reviewed_user_id": juris.id, "rating": 5, "deal": f"task:{task}"}
    written = anna.post("/api/reviews", review)
    assert (written.status_code, written.json["review"]["deal"]) == (201, f"task:{task}"), written.json
    assert anna.post("/api/reviews", review).status_code == 409
    assert stranger.post("/api/reviews", review).status_code == 404
