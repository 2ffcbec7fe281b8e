"""Every route × anonymous, stranger, owner, admin, against private things that carry a canary."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.core.access import ADMIN, REFRESHING, SIGNED_IN, Access
from marketplace.core.db import Base, db, fetch, in_transaction
from marketplace.core.jobs import enqueue
from marketplace.core.outbox import FACTS
from marketplace.notifications.service import notify_once
from tests.factories import things
from tests.factories.people import Person, sign_up

CANARY = "canary7f3a9"
IDS_IN_BODIES = ("application_id", "task_id", "listing_id", "offering_id", "reviewed_user_id", "user_id", "item_id")
ENDS_OWN_SIGN_IN = {"/api/auth/logout"}
PUBLIC_TO_STRANGERS = {"user_id", "review_id", "category_id", "name", "item_type"}


@dataclass
class Victim:
    """Somebody whose private things nobody else may read or change, and their ids."""

    owner: Person
    other: Person
    ids: dict[str, Any]


@pytest.fixture
def victim(app: Flask) -> Victim:
    """Everything private one can have: archived, paused, booked, applied for, written."""
    owner = sign_up(app, "victim", email=f"{CANARY}@example.com", phone="+371 20000001")
    other = sign_up(app, "partner")
    listing = things.listing(owner, title=CANARY)["id"]
    owner.put(f"/api/listings/{listing}", json={"status": "archived"})
    offering = things.offering(owner, title=f"Paused {CANARY}")["id"]
    booked_from = things.offering(other)["id"]
    booking = owner.post(f"/api/offerings/{booked_from}/book", json={"message": CANARY}).json["task"]["id"]
    owner.post(f"/api/offerings/{offering}/pause")
    application = _application(app, owner, other)
    talk = owner.post("/api/messages/conversations", json={"user_id": other.id, "message": CANARY}).json
    done = things.completed_task(owner, other)["id"]
    favorite = owner.post("/api/favorites", json={"item_type": "task", "item_id": booking}).json["favorite"]["id"]
    document = things.upload(owner, "document")
    news, fact, job = _waiting(app, owner)
    ids = {
        "session_id": owner.get("/api/auth/sessions").json["sessions"][0]["id"],
        "upload_id": document["id"],
        "filename": document["filename"],
        "stem": document["filename"].partition(".")[0],
        "notification_id": news,
        "queue": "outbox",
        "row_id": fact,
        "job_id": job,
        "user_id": owner.id,
        "reviewed_user_id": owner.id,
        "listing_id": listing,
        "offering_id": offering,
        "task_id": booking,
        "application_id": application,
        "conversation_id": talk["id"],
        "message_id": talk["conversation"]["last_message"]["id"],
        "review_id": things.review(owner, done)["id"],
        "favorite_id": favorite,
        "item_type": "task",
        "item_id": booking,
        "category_id": 1,
        "name": "victim",
    }
    return Victim(owner, other, ids)


def _waiting(app: Flask, owner: Person) -> tuple[int, int, int]:
    """Something to be told, a fact, and a job of the owner's."""
    with app.app_context():
        values = {"task_title": CANARY, "applicant_name": CANARY}
        told = in_transaction(
            lambda: notify_once(owner.id, "new_application", CANARY, related_id=1, **values),
        )
        job = in_transaction(lambda: enqueue("make_thumbnails", owner_id=owner.id, key=CANARY, upload_id=0))
        fact = fetch(select(FACTS.table.c.id).limit(1))[0].id
        db.session.remove()
    return int(told or 0), int(fact), job


def _application(app: Flask, owner: Person, other: Person) -> int:
    task_id = things.task(owner)["id"]
    return int(things.application(other, task_id, message=CANARY)["id"])


def _calls(app: Flask, victim: Victim) -> list[tuple[str, str, Access, dict[str, Any], set[str]]]:
    document = app.test_client().get("/openapi.json").json
    calls = []
    for rule in app.url_map.iter_rules():
        access = getattr(app.view_functions[rule.endpoint], "access", None)
        if access is None or rule.rule in ENDS_OWN_SIGN_IN:
            continue
        path = "/".join(_filled(part, victim.ids) for part in rule.rule.split("/"))
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            calls.append((method, path, access, _body(document, rule, method, victim.ids), rule.arguments))
    return calls


def _filled(part: str, ids: dict[str, Any]) -> str:
    return str(ids[part.strip("<>").split(":")[-1]]) if part.startswith("<") else part


def _body(document: Any, rule: Any, method: str, ids: dict[str, Any]) -> dict[str, Any]:
    """The documented example, its ids those of the victim's private things."""
    path = rule.rule
    for argument in rule.arguments:
        path = "/".join(f"{{{argument}}}" if p.endswith(f"{argument}>") else p for p in path.split("/"))
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = dict(content.get("example") or {})
    return {name: ids[name] if name in IDS_IN_BODIES else value for name, value in example.items()}


def _call(person: Person, method: str, path: str, body: dict[str, Any]) -> TestResponse:
    return person.call(method, path, **({"json": body} if method in {"POST", "PUT"} else {}))


def _rows(app: Flask, ignoring_user: int) -> set[str]:
    """Every row of every table but the caller's own account and the fresh ones it may make."""
    with app.app_context():
        found = {
            f"{table.name} {tuple(row)}"
            for table in Base.metadata.sorted_tables
            for row in fetch(select(table))
            if not (table.name == "users" and row.id == ignoring_user)
        }
        db.session.remove()
    return found


def test_nobody_signed_in_learns_and_changes_nothing(app: Flask, victim: Victim) -> None:
    before = _rows(app, 0)
    for method, path, access, body, _ in _calls(app, victim):
        answer = _call(Person(app), method, path, body)
        assert answer.status_code < 500, (method, path)
        assert CANARY not in answer.text, (method, path)
        if not access.optional:
            assert answer.status_code == 401, (method, path, answer.json)
    assert before <= _rows(app, 0)


def test_a_stranger_learns_and_changes_nothing_of_others(app: Flask, victim: Victim, stranger: Person) -> None:
    before = _rows(app, stranger.id)
    for method, path, access, body, arguments in _calls(app, victim):
        answer = _call(stranger, method, path, body)
        assert answer.status_code < 500, (method, path)
        assert CANARY not in answer.text, (method, path)
        if access is ADMIN:
            assert answer.status_code == 403, (method, path)
        elif arguments - PUBLIC_TO_STRANGERS:
            assert answer.status_code in {403, 404}, (method, path, answer.json)
    assert before <= _rows(app, stranger.id)


def test_the_owner_reads_what_is_theirs(app: Flask, victim: Victim) -> None:
    for method, path, access, body, _ in _calls(app, victim):
        if method == "GET" and access is SIGNED_IN:
            assert _call(victim.owner, method, path, body).status_code in {200, 404}, path
    seen = victim.owner.get("/api/listings/my").text + victim.owner.get("/api/tasks/created").text
    assert seen.count(CANARY) >= 2
    assert CANARY in victim.owner.get(f"/api/messages/conversations/{victim.ids['conversation_id']}/messages").text


def test_an_admin_never_meets_an_error_of_ours(app: Flask, victim: Victim, admin: Person) -> None:
    for method, path, access, body, _ in _calls(app, victim):
        answer = _call(admin, method, path, body)
        assert answer.status_code < 500, (method, path, answer.text)
        assert answer.status_code != 401 or access is REFRESHING, (method, path)
        if access is ADMIN and method == "GET":
            assert answer.status_code == 200, path


def test_an_admin_does_not_read_private_conversations(victim: Victim, admin: Person) -> None:
    answer = admin.get(f"/api/messages/conversations/{victim.ids['conversation_id']}/messages")
    assert answer.status_code == 404
