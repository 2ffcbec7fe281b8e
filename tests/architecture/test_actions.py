"""`available_actions` names requests that exist and work now; who may never do it is told so, whatever its state."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from marketplace.auth.models import User
from marketplace.core.database.db import db, in_transaction
from marketplace.core.http.permissions import STAFF
from marketplace.core.manifest import deal_kinds
from marketplace.kit.errors import NotAllowed, Problem
from marketplace.kit.lifecycle import Lifecycle, WrongState
from marketplace.tasks import policy as tasks_policy
from marketplace.tasks import service as tasks_service
from marketplace.tasks.lifecycle import TASK_LIFECYCLE
from marketplace.tasks.models import Application, Task
from tests.deals.moves import BY_ITSELF, allowed, leads_on, out_of_step
from tests.declared import LIFECYCLES
from tests.disputes import stage
from tests.factories import money, things
from tests.factories.people import Person

Made = tuple[str, dict[str, Any]]
OFFER = {"outcome": "completed"}
DECISION = {"note": "Most of it was done well.", "outcome": "completed"}
BODIES: dict[str, dict[str, Any]] = {
    "edit": {"title": "Another title"},
    "renew": {"days": 30},
    "contact": {"message": "Are you free on Friday?"},
    "respond": {"content": "It is straight."},
    "appeal": {"reason": "Look at the pictures again."},
    "offer": OFFER,
    "decide": DECISION,
}
NEVER_OF_A_CLIENT = {"settle"}  # a part of accepting an offer
FREE_FOR_ALL = {"apply", "book", "contact"}  # what strangers are for


def _listing(*verbs: str) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        listing = things.listing(anna)
        for verb in verbs:
            assert anna.post(f"/api/listings/{listing['id']}/{verb}").status_code == 200
        return f"/api/listings/{listing['id']}", {"id": listing["id"]}

    return make


def _offering(*verbs: str) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        offering = things.offering(anna)
        for verb in verbs:
            assert anna.post(f"/api/offerings/{offering['id']}/{verb}").status_code == 200
        return f"/api/offerings/{offering['id']}", {"id": offering["id"]}

    return make


def _open_task(anna: Person, juris: Person, admin: Person) -> Made:
    task = things.task(anna)
    return f"/api/tasks/{task['id']}", {"id": task["id"]}


def _applied_for(anna: Person, juris: Person, admin: Person) -> Made:
    path, values = _open_task(anna, juris, admin)
    application = things.application(juris, values["id"])
    return path, {**values, "application_id": application["id"]}


def _task(*steps: tuple[str, str]) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        task = things.assigned_task(anna, juris)
        for who, verb in steps:
            person = anna if who == "owner" else juris
            assert person.post(f"/api/tasks/{task['id']}/{verb}").status_code == 200
        return f"/api/tasks/{task['id']}", {"id": task["id"]}

    return make


def _booking(*steps: tuple[str, str]) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        offering = things.offering(juris)
        body = {"price": offering["price"], "currency": offering["currency"]}
        booked = anna.post(f"/api/offerings/{offering['id']}/book", body)
        assert booked.status_code == 201, booked.json
        task = booked.json["task"]["id"]
        for who, verb in steps:
            person = anna if who == "owner" else juris
            assert person.post(f"/api/tasks/{task}/{verb}").status_code == 200
        return f"/api/tasks/{task}", {"id": task}

    return make


def _ended_task(end: Callable[[Person, int], object]) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        path, values = _open_task(anna, juris, admin)
        end(anna, values["id"])
        return path, values

    return make


def _pass_its_deadline(anna: Person, task_id: int) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert anna.put(f"/api/tasks/{task_id}", {"deadline": tomorrow.isoformat()}).status_code == 200
    with time_machine.travel(tomorrow + timedelta(days=2)), anna.app.app_context():
        in_transaction(lambda: tasks_service.expire(task_id))
        db.session.remove()


def _application(*steps: tuple[str, str]) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        _, values = _applied_for(anna, juris, admin)
        path = f"/api/tasks/{values['id']}/applications/{values['application_id']}"
        for method, verb in steps:
            person = juris if method == "DELETE" else anna
            assert person.call(method, f"{path}{verb}").status_code == 200
        return path, {"id": values["application_id"], "task_id": values["id"]}

    return make


def _dispute(*steps: str) -> Callable[..., Made]:
    def make(anna: Person, juris: Person, admin: Person) -> Made:
        path = f"{stage.PATH}/{stage.dispute(anna, stage.running_task(anna, juris))['id']}"
        for step in steps:
            if step == "respond":
                answer = juris.post(f"{path}/respond", {"content": "It is straight."})
            elif step == "decide":
                answer = admin.put(f"{path}/resolve", DECISION, **money.key())
            else:
                answer = anna.post(f"{path}/{step}", BODIES.get(step))
            assert answer.status_code in {200, 201}, answer.json
        return path, {"id": int(path.rpartition("/")[2])}

    return make


STAGES: dict[str, Callable[..., Made]] = {
    "listing, active": _listing(),
    "listing, pending": _listing("hold"),
    "listing, sold": _listing("sell"),
    "listing, archived": _listing("archive"),
    "offering, active": _offering(),
    "offering, paused": _offering("pause"),
    "offering, closed": _offering("close"),
    "task, open": _open_task,
    "task, applied for": _applied_for,
    "task, assigned": _task(),
    "task, in progress": _task(("worker", "start")),
    "task, done": _task(("worker", "start"), ("worker", "done")),
    "task, completed": _task(("worker", "start"), ("worker", "done"), ("owner", "confirm")),
    "task, disputed": _task(("worker", "start"), ("owner", "dispute")),
    "task, cancelled": _task(("owner", "cancel")),
    "task, declined": _task(("worker", "decline")),
    "task, called off while open": _ended_task(lambda anna, task: anna.post(f"/api/tasks/{task}/cancel")),
    "task, expired": _ended_task(_pass_its_deadline),
    "task, deleted": _ended_task(lambda anna, task: anna.delete(f"/api/tasks/{task}")),
    "task, booked": _booking(),
    "task, booked, in progress": _booking(("worker", "start")),
    "task, booked, done": _booking(("worker", "start"), ("worker", "done")),
    "task, booked, completed": _booking(("worker", "done"), ("owner", "confirm")),
    "task, booked, disputed": _booking(("worker", "start"), ("owner", "dispute")),
    "task, booked, declined": _booking(("worker", "decline")),
    "task, booked, cancelled": _booking(("owner", "cancel")),
    "application, pending": _application(),
    "application, accepted": _application(("POST", "/accept")),
    "application, rejected": _application(("POST", "/reject")),
    "application, withdrawn": _application(("DELETE", "")),
    "dispute, open": _dispute(),
    "dispute, answered": _dispute("respond"),
    "dispute, decided": _dispute("respond", "decide"),
    "dispute, appealed": _dispute("respond", "decide", "appeal"),
    "dispute, withdrawn": _dispute("withdraw"),
}


DEALS = [name for name in STAGES if name.startswith("task, ")]


def _table(name: str) -> Lifecycle:
    return next(table for table in LIFECYCLES if table.thing == name.partition(",")[0])


def _ask(person: Person, table: Lifecycle, verb: str, values: dict[str, Any], anna: Person) -> Any:
    method, _, path = table.requests[verb].partition(" ")
    body = BODIES.get(verb, {})
    if verb == "assign":
        body = {"application_id": values.get("application_id", 1)}
    if verb == "hand_over":
        body = {"code": (anna.post(f"/api/tasks/{values['id']}/handover-code").json or {}).get("code", "1")}
    if verb == "add_evidence":
        body = {"file": things.upload(person, "document")["filename"]}
    return person.call(method, path.format(**values), json=body, **money.key())


@pytest.mark.parametrize("name", STAGES)
def test_every_action_an_answer_names_can_be_done_now(
    name: str, anna: Person, juris: Person, stranger: Person, admin: Person
) -> None:
    failed, table = {}, _table(name)
    for person in (anna, juris, stranger, admin):
        path, values = STAGES[name](anna, juris, admin)
        seen = person.get(path)
        for verb in seen.json["available_actions"] if seen.status_code == 200 else ():
            _, values = STAGES[name](anna, juris, admin)
            answer = _ask(person, table, verb, values, anna)
            if answer.status_code not in {200, 201}:
                failed[person.user["username"], verb] = (answer.status_code, answer.json)
    assert failed == {}


@pytest.mark.parametrize("name", [name for name in STAGES if name not in DEALS])
def test_a_stranger_is_told_that_it_is_not_theirs_whatever_its_state(
    name: str, anna: Person, juris: Person, stranger: Person, admin: Person
) -> None:
    told, table = {}, _table(name)
    _, values = STAGES[name](anna, juris, admin)
    for verb in set(table.requests) - FREE_FOR_ALL - {"apply_again"}:
        answer = _ask(stranger, table, verb, values, anna)
        if answer.status_code not in {403, 404}:
            told[verb] = (answer.status_code, answer.json)
    for status in ("sold", "archived", "active", "paused", "closed") if table.thing in {"listing", "offering"} else ():
        answer = stranger.put(f"/api/{table.thing}s/{values['id']}", {"status": status})
        if answer.status_code not in {403, 404, 422}:
            told[status] = (answer.status_code, answer.json)
    assert told == {}


@pytest.mark.parametrize("name", DEALS)
def test_everybody_does_to_a_deal_what_its_table_allows_and_nothing_else(
    name: str, app: Flask, anna: Person, juris: Person, stranger: Person, admin: Person
) -> None:
    wrong, (_, values) = {}, STAGES[name](anna, juris, admin)
    for person in (anna, juris, stranger, admin):
        state, seen, roles, applied = _standing(person, values["id"])
        for verb in TASK_LIFECYCLE.requests:
            expected = allowed(TASK_LIFECYCLE, state, verb, roles)
            if not seen or (verb == "assign" and expected != 403 and "application_id" not in values):
                expected = 404
            elif verb == "apply" and applied:
                expected = 409
            answered = _ask(person, TASK_LIFECYCLE, verb, values, anna).status_code
            moved = expected == 200 and leads_on(TASK_LIFECYCLE, verb, state)
            found = _out_of_step(app, values["id"], None if moved else state)
            if (answered if answered >= 400 else 200) != expected or found:
                wrong[person.user["username"], verb] = (answered, expected, found)
            if moved:
                _, values = STAGES[name](anna, juris, admin)
    assert wrong == {}


@pytest.mark.parametrize("name", DEALS)
def test_the_marketplace_itself_does_to_a_deal_what_its_table_allows_and_nothing_else(
    name: str, app: Flask, anna: Person, juris: Person, admin: Person
) -> None:
    wrong, (_, values) = {}, STAGES[name](anna, juris, admin)
    state, *_ = _standing(anna, values["id"])
    for verb, act in BY_ITSELF.items():
        expected = 404 if state == "deleted" else allowed(TASK_LIFECYCLE, state, verb, {"system"})
        with app.app_context():
            kind = deal_kinds()["booking" if "booked" in name else "task"]
            told = _told(partial(in_transaction, partial(act, kind, values["id"])))
            db.session.remove()
        answered = 200 if told is None else told.status
        found = _out_of_step(app, values["id"], None if expected == 200 else state)
        if answered != expected or found:
            wrong[verb] = (answered, expected, found)
        if expected == 200:
            _, values = STAGES[name](anna, juris, admin)
    assert wrong == {}


def _standing(person: Person, task_id: int) -> tuple[str, bool, frozenset[str], bool]:
    """The task's state; whether this person sees it, what they are to it, and whether they applied for it."""
    with person.app.app_context():
        task = db.session.get_one(Task, task_id)
        roles = tasks_policy.role_of(db.session.get_one(User, person.id), task)
        seen = task.status != "deleted" and not (task.booked and roles == {"stranger"})
        theirs = select(Application.id).where(Application.task_id == task_id, Application.applicant_id == person.id)
        theirs = theirs.where(Application.status != "withdrawn")
        standing = (task.status, seen, roles, db.session.scalar(theirs) is not None)
        db.session.remove()
    return standing


def _out_of_step(app: Flask, task_id: int, state: str | None) -> str:
    with app.app_context():
        found = out_of_step(db.session.get_one(Task, task_id), state)
        db.session.remove()
    return found


def test_the_verbs_of_people_have_requests_and_these_exist(app: Flask) -> None:
    urls = app.url_map.bind("")
    missing = [
        f"{table.thing}.{verb}"
        for table in LIFECYCLES
        for verb, moves in table.moves.items()
        if verb not in table.requests and verb not in NEVER_OF_A_CLIENT
        if any(m.by - {"system"} for m in moves)
    ]
    unknown = [
        request
        for table in LIFECYCLES
        for method, _, path in (request.partition(" ") for request in table.requests.values())
        for request in [f"{method} {path}"]
        if not urls.test(re.sub(r"\{\w+\}", "1", path), method)
    ]
    assert (missing, unknown) == ([], [])


@pytest.mark.parametrize("table", LIFECYCLES, ids=lambda table: table.thing)
def test_the_role_is_judged_before_the_state_for_every_state_verb_and_role(table: Lifecycle) -> None:
    roles = {role for move in table.rows() for role in move.by} | {"stranger", *STAFF}
    for state in table.states:
        for verb, moves in table.moves.items():
            for role in roles:
                told = _told(lambda state=state, verb=verb, role=role: table.pick(verb, state, {role}))
                if not any(role in m.by for m in moves):
                    assert type(told) is NotAllowed, (state, verb, role)
                else:
                    may = any(role in m.by and state in m.sources for m in moves)
                    assert type(told) is (WrongState if not may else type(None)), (state, verb, role)


@pytest.mark.parametrize("table", LIFECYCLES, ids=lambda table: table.thing)
def test_a_refusal_says_too_late_too_early_or_already_and_never_leaves_it_open(table: Lifecycle) -> None:
    for state in table.states:
        for verb, moves in table.moves.items():
            for role in {role for m in moves for role in m.by}:
                refused = _told(lambda state=state, verb=verb, role=role: table.pick(verb, state, {role}))
                words = ("too late", "too early", "already")
                assert refused is None or sum(word in refused.sentence for word in words) == 1, refused


def _told(ask: Callable[[], Any]) -> Problem | None:
    try:
        ask()
    except Problem as refused:
        return refused
    return None
