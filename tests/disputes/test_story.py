"""A dispute from its first word to where the money went, over HTTP."""

import hashlib
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.core.queues.outbox import relay
from marketplace.disputes import service
from marketplace.disputes.models import Dispute
from marketplace.uploads.models import UploadUse
from tests.disputes.stage import (
    PATH,
    SAID,
    after,
    answered,
    balances,
    dispute,
    paid_task,
    resolve,
    returned,
    running_task,
    signed_in_again,
)
from tests.factories import things
from tests.factories.money import key, work
from tests.factories.people import Person, sign_up


def events(story: dict[str, Any]) -> list[tuple[str, int | None]]:
    """What happened, and by whom."""
    return [(step["event"], step["actor_id"]) for step in story["timeline"]]


def test_the_whole_story_with_an_appeal_and_a_split(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    opened = dispute(anna, task)
    path = f"{PATH}/{opened['id']}"
    assert (opened["status"], opened["held"], opened["against_id"]) == ("open", 40.0, juris.id)
    assert anna.get(f"/api/tasks/{task}").json["status"] == "disputed"

    paper, picture = things.upload(juris, "document"), things.upload(anna)
    said = juris.post(f"{path}/respond", {"content": "It is straight.", "files": [paper["url"]]}).json["dispute"]
    assert said["status"] == "under_review"
    anna.post(f"{path}/evidence", {"file": picture["filename"], "note": "On Friday"})
    anna.post(f"{path}/offers", {"amount": 10})
    decided = resolve(admin, path, worker_amount=20).json["dispute"]
    assert (decided["status"], decided["to_worker_minor"], decided["available_actions"]) == ("decided", 2000, [])
    assert balances(juris) == (0, 4000)
    assert juris.post(f"{path}/appeal", {"reason": "Too little."}).status_code == 200
    final = resolve(admin, path, worker_minor=2533).json["dispute"]

    assert (final["status"], final["outcome"], final["to_worker"]) == ("resolved", "completed", 25.33)
    assert [one["to_worker_minor"] for one in final["decisions"]] == [2000, 2533]
    assert (balances(juris), returned(anna, task)) == ((2280, 0), 1467)  # 25.33 less a tenth, rounded by proportion
    assert anna.get(f"/api/tasks/{task}").json["status"] == "completed"
    assert events(final) == [
        ("opened", anna.id),
        ("responded", juris.id),
        ("evidence_added", juris.id),
        ("evidence_added", anna.id),
        ("offer_made", anna.id),
        ("decided", admin.id),
        ("appealed", juris.id),
        ("decided", admin.id),
        ("offer_withdrawn", None),
        ("final", admin.id),
    ]


def test_evidence_is_proved_by_the_hash_of_what_is_downloaded(app: Flask, anna: Person, juris: Person) -> None:
    path = f"{PATH}/{dispute(anna, running_task(anna, juris))['id']}"
    for way in ("", "document"):
        answer = anna.post(f"{path}/evidence", {"file": things.upload(anna, way)["url"], "note": way})
        assert answer.status_code == 200, answer.json
    for shown in juris.get(path).json["evidence"]:
        bytes_now = app.test_client().get(shown["url"]).data
        assert hashlib.sha256(bytes_now).hexdigest() == shown["sha256"]
        assert (len(bytes_now), shown["author_id"]) == (shown["size"], anna.id)
    with app.app_context():
        assert len(fetch(select(UploadUse.id).where(UploadUse.thing == "evidence"))) == 2


def test_a_file_its_owner_deleted_is_missed_by_everybody(app: Flask, anna: Person, juris: Person) -> None:
    path = f"{PATH}/{dispute(anna, running_task(anna, juris))['id']}"
    file = things.upload(anna)
    anna.post(f"{path}/evidence", {"file": file["url"]})
    twice = anna.post(f"{path}/evidence", {"file": file["filename"]})
    assert (twice.status_code, twice.json["code"]) == (409, "shown_already")
    assert anna.delete(f"/api/uploads/{file['filename']}").status_code == 200
    (shown,) = juris.get(path).json["evidence"]
    assert (shown["url"], shown["filename"], len(shown["sha256"])) == (None, None, 64)


def test_an_accepted_offer_settles_it_at_once(anna: Person, juris: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = f"{PATH}/{dispute(juris, task, reason='payment')['id']}"
    first, second = (anna.post(f"{path}/offers", {"amount": amount}).json["dispute"] for amount in (10, "30.00"))
    assert [one["status"] for one in second["offers"]] == ["withdrawn", "open"]
    offer = second["offers"][1]["id"]
    assert juris.post(f"{path}/offers/{first['offers'][0]['id']}/accept", **key()).status_code == 409
    done = juris.post(f"{path}/offers/{offer}/accept", **key("once"))
    assert (done.status_code, done.json["dispute"]["status"]) == (200, "resolved")
    assert (balances(juris), returned(anna, task)) == ((2700, 0), 1000)
    again = juris.post(f"{path}/offers/{offer}/accept", **key("once"))
    assert (again.json, again.headers["Idempotency-Replayed"]) == (done.json, "true")
    assert juris.post(f"{path}/offers/{offer}/accept", **key("twice")).status_code == 409
    assert balances(juris) == (2700, 0)


def test_an_offer_is_declined_or_taken_back(anna: Person, juris: Person) -> None:
    path = f"{PATH}/{dispute(anna, paid_task(anna, juris))['id']}"
    offers = [person.post(f"{path}/offers", {"amount": 5}).json["dispute"]["offers"][-1] for person in (anna, juris)]
    assert [one["available_actions"] for one in offers] == [["withdraw"], ["withdraw"]]
    mine, theirs = (f"{path}/offers/{one['id']}" for one in offers)
    assert anna.post(f"{mine}/accept", **key()).status_code == 403
    assert juris.delete(mine).status_code == 403
    assert juris.post(f"{mine}/decline").json["dispute"]["offers"][0]["status"] == "declined"
    assert juris.delete(theirs).json["dispute"]["offers"][1]["status"] == "withdrawn"
    assert anna.post(f"{theirs}/accept", **key()).status_code == 409
    assert anna.get(path).json["status"] == "open"


def test_whoever_is_silent_is_decided_without(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    path = f"{PATH}/{dispute(anna, paid_task(anna, juris))['id']}"
    early = resolve(admin, path, worker_amount=1)
    assert (early.status_code, early.json["code"]) == (409, "wrong_state")
    with after(app, days=2, hours=23):
        assert signed_in_again(anna).get(path).json["status"] == "open"
    with after(app, days=3, minutes=1):
        found = signed_in_again(anna).get(path).json
    assert found["status"] == "under_review"
    assert events(found) == [("opened", anna.id), ("response_overdue", None)]
    assert resolve(admin, path, worker_amount=1).status_code == 200


def test_a_decision_is_final_by_the_clock(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = answered(anna, juris, task)
    resolve(admin, path, worker_amount=25)
    with after(app, days=2, hours=23):
        assert signed_in_again(juris).get(path).json["status"] == "decided"
    with after(app, days=3, minutes=1):
        juris = signed_in_again(juris)
        late = juris.post(f"{path}/appeal", {"reason": "Too little."})
        found = juris.get(path).json
        assert balances(juris) == (2250, 0)
    assert late.status_code == 409
    assert (found["status"], found["timeline"][-1]["event"], found["timeline"][-1]["actor_id"]) == (
        "resolved",
        "final",
        None,
    )
    assert returned(anna, task) == 1500


def test_the_time_to_appeal_ends_before_the_clock_has_done_its_work(
    anna: Person, juris: Person, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(anna.app.config, "DISPUTE_APPEAL_DAYS", 0)
    path = answered(anna, juris, running_task(anna, juris))
    resolve(admin, path, outcome="completed")
    late = anna.post(f"{path}/appeal", {"reason": "No."})
    assert (late.status_code, late.json["code"]) == (409, "wrong_state")


def test_one_appeals_once(anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    assert anna.post(f"{path}/appeal", {"reason": "Too early."}).status_code == 409
    resolve(admin, path, outcome="cancelled")
    assert juris.post(f"{path}/appeal", {"reason": "No."}).json["dispute"]["appealed_by_id"] == juris.id
    assert anna.post(f"{path}/appeal", {"reason": "Me too."}).status_code == 409
    over = resolve(admin, path, outcome="cancelled").json["dispute"]
    assert (over["status"], over["final_at"]) == ("resolved", None)
    assert juris.post(f"{path}/appeal", {"reason": "Once more."}).status_code == 409


@pytest.mark.parametrize("outcome", ["completed", "cancelled"])
def test_where_nothing_is_held_the_outcome_alone_decides(
    anna: Person, juris: Person, admin: Person, outcome: str
) -> None:
    task = running_task(anna, juris)
    path = answered(juris, anna, task)
    for wrong in ({"worker_amount": 5}, {}, {"worker_minor": 0, "outcome": outcome}):
        assert resolve(admin, path, **wrong).status_code == 422
    assert anna.post(f"{path}/offers", {"amount": 5}).status_code == 422
    offer = anna.post(f"{path}/offers", {"outcome": outcome}).json["dispute"]["offers"][0]["id"]
    over = juris.post(f"{path}/offers/{offer}/accept", **key()).json["dispute"]
    assert (over["outcome"], over["to_worker"], over["currency"]) == (outcome, None, None)
    assert anna.get(f"/api/tasks/{task}").json["status"] == outcome


def test_everything_back_to_the_owner_cancels_the_task(anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = answered(anna, juris, task)
    resolve(admin, path, worker_amount=0)
    anna.post(f"{path}/appeal", {"reason": "And an apology."})
    over = resolve(admin, path, outcome="cancelled").json["dispute"]
    assert (over["outcome"], over["to_worker_minor"]) == ("cancelled", 0)
    assert (balances(juris), returned(anna, task)) == ((0, 0), 4000)
    assert anna.get(f"/api/tasks/{task}").json["status"] == "cancelled"


def test_what_the_worker_gave_back_meanwhile_is_not_given_twice(
    app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    task = paid_task(anna, juris, budget=40)
    path = answered(anna, juris, task)
    anna.post(f"{path}/offers", {"amount": 35})
    resolve(admin, path, worker_amount=30)
    (payment,) = anna.get("/api/payments").json["payments"]
    assert juris.post(f"/api/payments/{payment['id']}/refund", {"amount": 15}, **key()).status_code == 200
    offer = juris.get(path).json["offers"][0]["id"]
    assert juris.post(f"{path}/offers/{offer}/accept", **key()).json["code"] == "less_is_held"
    with after(app, days=3, minutes=1):
        found = signed_in_again(juris).get(path).json
    assert (found["to_worker_minor"], found["decisions"][0]["to_worker_minor"]) == (2500, 3000)
    assert (balances(juris), returned(anna, task)) == ((2250, 0), 1500)


@pytest.mark.parametrize("state", ["open", "under_review"])
def test_withdrawn_the_work_goes_on(anna: Person, juris: Person, state: str) -> None:
    task = paid_task(anna, juris, budget=40)
    path = f"{PATH}/{dispute(juris, task)['id']}" if state == "open" else answered(juris, anna, task)
    anna.post(f"{path}/offers", {"amount": 5})
    assert anna.post(f"{path}/withdraw").status_code == 403
    over = juris.post(f"{path}/withdraw").json["dispute"]
    assert (over["status"], over["offers"][0]["status"]) == ("withdrawn", "withdrawn")
    assert juris.post(f"{path}/withdraw").status_code == 409
    for person, verb in ((juris, "done"), (anna, "confirm")):
        assert person.post(f"/api/tasks/{task}/{verb}").status_code == 200
    assert balances(juris) == (3600, 0)


def test_what_is_decided_is_not_withdrawn(anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    resolve(admin, path, outcome="completed")
    assert anna.post(f"{path}/withdraw").status_code == 409


def test_a_dispute_opened_at_the_task_gets_its_file_once(app: Flask, anna: Person, juris: Person) -> None:
    task = running_task(anna, juris)
    assert juris.post(f"/api/tasks/{task}/dispute", {"reason": "No key"}).status_code == 200
    assert anna.get(f"{PATH}/task/{task}").status_code == 404
    work(app)
    found = anna.get(f"{PATH}/task/{task}").json
    assert (found["reason"], found["description"], found["opened_by_id"]) == ("other", "No key", juris.id)
    assert juris.post(PATH, {"task_id": task, **SAID}).status_code == 409
    with app.app_context():
        service.open_missing(task)
        assert len(fetch(select(Dispute.id))) == 1
        db.session.remove()
    juris.post(f"{PATH}/{found['id']}/withdraw")
    again = dispute(anna, task)
    assert anna.get(f"{PATH}/task/{task}").json["id"] == again["id"]
    work(app)
    assert len(anna.get(PATH).json["disputes"]) == 2


def test_a_disputed_task_without_a_file_is_found_by_the_clock(app: Flask, anna: Person, juris: Person) -> None:
    task = running_task(anna, juris)
    anna.post(f"/api/tasks/{task}/dispute", {"reason": "From before"})
    with after(app, minutes=1):
        assert anna.get(f"{PATH}/task/{task}").json["description"] == "From before"


def test_both_sides_are_told(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    juris.post(f"{path}/offers", {"outcome": "completed"})
    offer = anna.get(path).json["offers"][0]["id"]
    anna.post(f"{path}/offers/{offer}/decline")
    resolve(admin, path, outcome="cancelled")
    juris.post(f"{path}/appeal", {"reason": "No."})
    resolve(admin, path, outcome="completed")
    second = dispute(anna, running_task(anna, juris))["id"]
    anna.post(f"{PATH}/{second}/withdraw")
    with app.app_context():
        while relay():
            pass
        db.session.remove()

    def told(person: Person) -> list[str]:
        news = person.get("/api/notifications").json["notifications"]
        return sorted(one["type"] for one in news if one["related_type"] == "dispute")

    both = ["dispute_decided", "dispute_resolved"]
    of_anna = ["dispute_answered", "dispute_appealed", "dispute_offer", "dispute_opened", "dispute_opened"]
    assert told(anna) == sorted([*both, *of_anna])
    assert told(juris) == sorted([*both, "dispute_offer_declined", "dispute_withdrawn"])


def test_staff_find_what_waits_for_them(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    first = answered(anna, juris, running_task(anna, juris)).rpartition("/")[2]
    second = dispute(juris, running_task(anna, juris))["id"]
    sign_up(app, "uninvolved")
    waiting = admin.get("/api/admin/disputes").json["disputes"]
    assert [one["id"] for one in waiting] == [int(first)]
    everything = admin.get(PATH).json["disputes"]
    assert [one["id"] for one in everything] == [second, int(first)]
    open_ones = admin.get(PATH, query_string={"status": "open"}).json["disputes"]
    assert [one["id"] for one in open_ones] == [second]
    log = resolve(admin, f"{PATH}/{first}", outcome="completed") and admin.get("/api/admin/audit-log").json["audit_log"]
    assert ("dispute.decide", int(first), admin.id) in [
        (row["action"], row["subject_id"], row["actor_id"]) for row in log
    ]


def test_the_reasons_are_those_of_the_contract(anybody: Person) -> None:
    keys = [one["key"] for one in anybody.get(f"{PATH}/reasons").json["reasons"]]
    assert keys == "work_quality no_show incomplete different_work payment communication safety other".split()
