"""Who may what in a dispute, what amounts are refused, and what happens at once."""

from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.disputes import queries
from marketplace.disputes.models import Decision, Dispute, Evidence, Offer, Statement
from marketplace.privacy import service as privacy
from marketplace.privacy.erasure import erase_rest
from tests.disputes.stage import (
    PATH,
    SAID,
    answered,
    balances,
    dispute,
    paid_task,
    resolve,
    returned,
    running_task,
)
from tests.factories import things
from tests.factories.money import key
from tests.factories.people import Person, sign_up
from tests.races.burst import burst

WRONG_AMOUNTS = [-1, -0.01, "NaN", "Infinity", 2**63, 10.005, "1e400", 40.01, True, [], "forty"]


@pytest.mark.parametrize("amount", WRONG_AMOUNTS, ids=str)
def test_amounts_that_nobody_could_divide_are_refused(anna: Person, juris: Person, admin: Person, amount: Any) -> None:
    path = answered(anna, juris, paid_task(anna, juris, budget=40))
    offered = anna.post(f"{path}/offers", {"amount": amount})
    assert (offered.status_code, list(offered.json["errors"])) == (422, ["amount"]), offered.json
    decided = resolve(admin, path, worker_amount=amount)
    assert (decided.status_code, list(decided.json["errors"])) == (422, ["worker_amount"])
    assert anna.get(path).json["status"] == "under_review"


@pytest.mark.parametrize("minor", [-1, 4001, 2**63 - 1, 2**63, 0.5])
def test_minor_units_are_no_way_around(anna: Person, juris: Person, admin: Person, minor: Any) -> None:
    path = answered(anna, juris, paid_task(anna, juris, budget=40))
    assert resolve(admin, path, worker_minor=minor).status_code == 422


def test_a_split_above_what_is_held_names_the_most(anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, paid_task(anna, juris, budget=40))
    assert "At most 40.00 EUR" in resolve(admin, path, worker_amount="40.01").json["errors"]["worker_amount"][0]


@pytest.mark.parametrize(
    "decision",
    [
        {},
        {"worker_amount": 20, "worker_minor": 2001},
        {"worker_amount": 0, "outcome": "completed"},
        {"worker_amount": 20, "outcome": "cancelled"},
        {"worker_amount": 20, "outcome": "perhaps"},
        {"worker_amount": 20, "note": ""},
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(
    anna: Person, juris: Person, admin: Person, decision: dict[str, Any]
) -> None:
    path = answered(anna, juris, paid_task(anna, juris, budget=40))
    assert resolve(admin, path, **decision).status_code == 422
    assert resolve(admin, path, worker_amount=20, worker_minor=2000, outcome="completed").status_code == 200


def test_strangers_find_nothing_anywhere(anna: Person, juris: Person, stranger: Person) -> None:
    task = running_task(anna, juris)
    path = f"{PATH}/{dispute(anna, task)['id']}"
    offer = anna.post(f"{path}/offers", {"outcome": "cancelled"}).json["dispute"]["offers"][0]["id"]
    file = things.upload(stranger)["url"]
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", path, {}),
        ("GET", f"{PATH}/task/{task}", {}),
        ("POST", PATH, {"task_id": running_task(juris, anna), **SAID}),
        ("POST", f"{path}/respond", {"content": "Me", "files": [file]}),
        ("POST", f"{path}/evidence", {"file": file}),
        ("POST", f"{path}/offers", {"outcome": "completed"}),
        ("POST", f"{path}/offers/{offer}/accept", {}),
        ("POST", f"{path}/offers/{offer}/decline", {}),
        ("DELETE", f"{path}/offers/{offer}", {}),
        ("POST", f"{path}/appeal", {"reason": "Me"}),
        ("POST", f"{path}/withdraw", {}),
    ]
    for method, address, body in calls:
        answer = stranger.call(method, address, json=body, **key())
        assert answer.status_code == (403 if address == PATH else 404), (method, address, answer.json)
    assert stranger.get(PATH).json["disputes"] == []
    assert stranger.put(f"{path}/resolve", {"note": "Me"}, **key()).status_code == 403


def test_the_two_sides_and_moderators_decide_nothing(app: Flask, anna: Person, juris: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    for person in (anna, juris, sign_up(app, "moderator", role="moderator")):
        assert resolve(person, path, outcome="completed").status_code == 403
        assert person.get("/api/admin/disputes").status_code == 403


def test_staff_do_not_decide_about_their_own_nor_speak_in_others(anna: Person, juris: Person, admin: Person) -> None:
    own = answered(admin, anna, running_task(admin, anna))
    assert resolve(admin, own, outcome="completed").status_code == 403
    path = answered(anna, juris, running_task(anna, juris))
    deeds = [("respond", {"content": "x"}), ("evidence", {"file": "x"}), ("offers", {"outcome": "completed"})]
    for verb, body in [*deeds, ("appeal", {"reason": "x"}), ("withdraw", {})]:
        assert admin.post(f"{path}/{verb}", body).status_code == 403, verb


def test_only_who_has_to_do_with_a_running_task_disputes_it(anna: Person, juris: Person, stranger: Person) -> None:
    posted = things.task(anna)["id"]
    running = running_task(anna, juris)
    assert anna.post(PATH, {"task_id": posted, **SAID}).status_code == 409
    assert stranger.post(PATH, {"task_id": running, **SAID}).status_code == 403
    for wrong in ({"reason": "weather"}, {"description": ""}, {"task_id": 2**63}, {"task_id": None}):
        assert anna.post(PATH, {"task_id": running, **SAID, **wrong}).status_code == 422, wrong
    dispute(anna, running)
    assert juris.post(PATH, {"task_id": running, **SAID}).status_code == 409


def test_money_moves_only_with_a_key(anna: Person, juris: Person) -> None:
    path = answered(anna, juris, paid_task(anna, juris))
    offer = anna.post(f"{path}/offers", {"amount": 20}).json["dispute"]["offers"][0]["id"]
    answer = juris.post(f"{path}/offers/{offer}/accept")
    assert (answer.status_code, answer.json["code"]) == (400, "no_idempotency_key")


def test_a_decision_needs_no_key_as_its_state_makes_it_repeatable(anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris)
    path, decision = answered(anna, juris, task), {"worker_amount": 20, "note": "x"}
    answers = [admin.put(f"{path}/resolve", decision) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert len(anna.get(path).json["decisions"]) == 1


@pytest.mark.parametrize("what", ["somebody else's", "unknown", "too many"])
def test_only_ones_own_files_are_evidence(anna: Person, juris: Person, what: str) -> None:
    path = f"{PATH}/{dispute(anna, running_task(anna, juris))['id']}"
    theirs = things.upload(juris, "document")["url"]
    files = {"somebody else's": [theirs], "unknown": ["0" * 32 + ".pdf"], "too many": [theirs] * 11}[what]
    answer = anna.post(f"{path}/respond", {"content": "See", "files": files})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["files"])
    assert anna.post(f"{path}/evidence", {"file": files[0]}).status_code == 422
    assert anna.get(path).json["statements"] == []


def test_a_file_is_read_by_people_and_has_an_end(anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.disputes.service.MOST_OF_A_SIDE", 2)
    monkeypatch.setattr("marketplace.disputes.settlement.service.MOST_OFFERS", 1)
    path = f"{PATH}/{dispute(anna, running_task(anna, juris))['id']}"
    said = [anna.post(f"{path}/respond", {"content": "So"}).status_code for _ in range(3)]
    offered = [anna.post(f"{path}/offers", {"outcome": "completed"}).status_code for _ in range(2)]
    assert (said, offered) == ([200, 200, 409], [200, 409])
    assert juris.post(f"{path}/respond", {"content": "No"}).status_code == 200


def test_of_many_decisions_at_once_one_counts(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    task = paid_task(anna, juris, budget=40)
    path = answered(anna, juris, task)
    other = sign_up(app, "other_admin", role="admin")
    resolve(admin, path, worker_amount=1)
    juris.post(f"{path}/appeal", {"reason": "One euro?"})
    calls = [partial(resolve, person, path, worker_amount=n) for n in (10, 20, 30) for person in (admin, other)]

    answers = burst(calls)

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    final = anna.get(path).json
    assert len(final["decisions"]) == 2
    paid = final["to_worker_minor"]
    assert (balances(juris), returned(anna, task)) == ((paid * 9 // 10, 0), 4000 - paid)


def _decided_by_many(app: Flask, admin: Person, path: str) -> list[int]:
    other = sign_up(app, "other_admin", role="admin")
    calls = [partial(resolve, person, path, outcome="completed") for person in (admin, other) * 3]
    return sorted(answer.status_code for answer in burst(calls))


def test_of_many_first_decisions_at_once_one_counts(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    assert _decided_by_many(app, admin, path) == [200] + [409] * 5


@pytest.mark.control
def test_control_without_lock_and_version_several_decisions_count(
    app: Flask, anna: Person, juris: Person, admin: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    monkeypatch.setattr(Dispute.__mapper__, "version_id_col", None)
    monkeypatch.setattr(Dispute.__mapper__, "_memoized_values", {})
    both_have_read = Barrier(2)

    def careless(user: Any, dispute_id: int) -> Dispute:
        found = queries.find(user, dispute_id)
        with suppress(BrokenBarrierError):
            both_have_read.wait(10)
        return found

    monkeypatch.setattr(queries, "to_change", careless)
    if database == "sqlite":  # there BEGIN IMMEDIATE alone would do
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})
    assert _decided_by_many(app, admin, path).count(200) > 1


def test_an_offer_accepted_and_the_dispute_withdrawn_at_once_is_one_end(
    app: Flask, anna: Person, juris: Person
) -> None:
    task = paid_task(anna, juris, budget=40)
    path = f"{PATH}/{dispute(anna, task)['id']}"
    offer = anna.post(f"{path}/offers", {"amount": 10}).json["dispute"]["offers"][0]["id"]
    accepts = [partial(juris.post, f"{path}/offers/{offer}/accept", **key()) for _ in range(4)]
    others = [partial(anna.post, f"{path}/withdraw"), partial(anna.delete, f"{path}/offers/{offer}")]

    answers = burst([*accepts, *others])

    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409}
    assert statuses[:5].count(200) <= 1
    ended = {"resolved": ((900, 0), 3000), "withdrawn": ((0, 4000), 0), "open": ((0, 4000), 0)}
    assert (balances(juris), returned(anna, task)) == ended[anna.get(path).json["status"]]


def test_both_sides_speak_at_once(anna: Person, juris: Person) -> None:
    path = f"{PATH}/{dispute(anna, running_task(anna, juris))['id']}"
    calls = [partial(person.post, f"{path}/respond", {"content": "So"}) for person in (anna, juris)] * 4
    assert {answer.status_code for answer in burst(calls)} == {200}
    assert len(anna.get(path).json["statements"]) == 8


def test_opened_in_both_ways_at_once_there_is_one_file(app: Flask, anna: Person, juris: Person) -> None:
    task = running_task(anna, juris)
    calls = [partial(anna.post, PATH, {"task_id": task, **SAID}), partial(juris.post, f"/api/tasks/{task}/dispute")]
    assert sorted(answer.status_code // 100 for answer in burst(calls * 3)) == [2] + [4] * 5
    with app.app_context():
        assert fetch(select(func.count()).select_from(Dispute))[0][0] <= 1


def test_whoever_leaves_takes_their_words_along(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    path = answered(anna, juris, running_task(anna, juris))
    file = things.upload(anna)
    anna.post(f"{path}/evidence", {"file": file["url"], "note": "Mine"})
    anna.post(f"{path}/respond", {"content": "Mine too"})
    anna.post(f"{path}/offers", {"outcome": "cancelled"})
    resolve(admin, path, outcome="completed")
    anna.post(f"{path}/appeal", {"reason": "Still mine"})
    resolve(admin, path, outcome="completed")
    with app.app_context():
        in_transaction(lambda: privacy.close(db.session.get_one(privacy.User, anna.id)))
        erase_rest(anna.id)
        db.session.remove()
    left = juris.get(path).json
    assert (left["description"], left["appeal_reason"]) == ("", "")
    assert [said["content"] for said in left["statements"]] == ["It is straight.", ""]
    (shown,) = left["evidence"]
    assert (shown["note"], shown["url"], len(shown["sha256"])) == ("", None, 64)
    with app.app_context():
        kept = [fetch(select(func.count()).select_from(kind))[0][0] for kind in (Statement, Evidence, Offer, Decision)]
        db.session.remove()
    assert kept == [2, 1, 1, 2]
