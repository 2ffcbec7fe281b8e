"""Every route × twelve roles, against private things that carry a canary."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from pyotp import TOTP
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from marketplace.auth import queries as people
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.models import User
from marketplace.core.database.db import Base, db, execute, fetch, in_transaction, one
from marketplace.core.http.access import REFRESHING, SIGNED_IN, Access
from marketplace.core.http.permissions import OF_ROLE
from marketplace.core.queues.jobs import enqueue
from marketplace.core.queues.outbox import OUTBOX
from marketplace.notifications.service import notify_once
from marketplace.payments.models import Payment, Payout
from tests.declared import SCOPES
from tests.factories import money, things
from tests.factories.people import PASSWORD, Person, sign_up

CANARY = "canary7f3a9"
IDS_IN_BODIES = ("application_id", "task_id", "listing_id", "offering_id", "reviewed_user_id", "user_id", "item_id")
ENDS_OWN_SIGN_IN = {"/api/auth/logout"}
ASKING = {"/api/messages/search": f"?q={CANARY}"}
PUBLIC_TO_STRANGERS = {"provider", "user_id", "review_id", "category_id", "name", "item_type", "emoji"}


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
    owner.post("/api/messages/rooms", json={"title": CANARY, "member_ids": [other.id]})
    done = things.completed_task(owner, other)["id"]
    favorite = owner.post("/api/favorites", json={"item_type": "task", "item_id": booking}).json["favorite"]["id"]
    document = things.upload(owner, "document")
    payment, payout = _money(app, owner, other)
    owner.post("/api/subscription", {"plan": "premium", "payment_method": money.VISA}, **money.key())
    chargeback = money.dispute(app, money.paid_task(owner, other)["paid"]["id"])
    refund = money.waiting_refund(app, other, money.paid_task(owner, other)["paid"]["id"])
    news, fact, job = _waiting(app, owner)
    owner.post("/api/auth/verification", json={"document_type": "passport", "files": [document["url"]], "note": CANARY})
    disputed = _disputed(owner, other)
    ids = {
        **disputed,
        "session_id": owner.get("/api/auth/sessions").json["sessions"][0]["id"],
        "upload_id": document["id"],
        "filename": document["filename"],
        "stem": document["filename"].partition(".")[0],
        "notification_id": news,
        "queue": "outbox",
        "row_id": fact,
        "search_id": owner.post("/api/saved-searches", json={"name": CANARY, "q": CANARY}).json["id"],
        "verification_id": owner.get("/api/auth/verification").json["verification"]["id"],
        "key_id": owner.post("/api/auth/api-keys", json={"name": CANARY, "scopes": ["listings:read"]}).json["id"],
        "job_id": job,
        "user_id": owner.id,
        "reviewed_user_id": owner.id,
        "listing_id": listing,
        "offering_id": offering,
        "task_id": booking,
        "reference": f"task:{booking}",
        "application_id": application,
        "conversation_id": talk["id"],
        "message_id": talk["conversation"]["last_message"]["id"],
        "review_id": things.review(owner, done)["id"],
        "favorite_id": favorite,
        "item_type": "task",
        "item_id": booking,
        "category_id": 1,
        "payment_id": payment,
        "payout_id": payout,
        "chargeback_id": chargeback,
        "refund_id": refund,
        "invoice_id": money.invoice(app, owner),
        "announcement_id": things.announcement(owner),
        "provider": "fake",
        "report_id": other.post("/api/reports", {"type": "user", "target_id": owner.id, "reason": CANARY}).json["id"],
        "number": owner.get("/api/subscription/receipts").json["receipts"][0]["number"],
        "name": "victim",
        "emoji": "👍",
    }
    return Victim(owner, other, ids)


def _disputed(owner: Person, other: Person) -> dict[str, Any]:
    """A dispute with something said, shown and offered in it."""
    task = things.assigned_task(owner, other)["id"]
    other.post(f"/api/tasks/{task}/start")
    said = {"task_id": task, "reason": "other", "description": f"{CANARY} is what it is about"}
    dispute = owner.post("/api/disputes", json=said).json["id"]
    path = f"/api/disputes/{dispute}"
    owner.post(f"{path}/evidence", json={"file": things.upload(owner, "document")["url"], "note": CANARY})
    offer = owner.post(f"{path}/offers", json={"outcome": "cancelled"}).json["dispute"]["offers"][0]["id"]
    return {"dispute_id": dispute, "offer_id": offer}


def _waiting(app: Flask, owner: Person) -> tuple[int, int, int]:
    """Something to be told, a fact, and a job of the owner's."""
    with app.app_context():
        values = {"task_title": CANARY, "applicant_name": CANARY}
        told = in_transaction(
            lambda: notify_once(owner.id, "new_application", CANARY, related_id=1, **values),
        )
        job = in_transaction(lambda: enqueue("make_thumbnails", owner_id=owner.id, key=CANARY, upload_id=0))
        fact = fetch(select(OUTBOX.table.c.id).limit(1))[0].id
        db.session.remove()
    return int(told or 0), int(fact), job


def _money(app: Flask, owner: Person, other: Person) -> tuple[int, int]:
    """A payment of the owner's that is held, and a payout that waits to be looked at."""
    paid = money.paid_task(owner, other)["paid"]["id"]
    money.finished_task(other, owner, budget=5000)
    money.onboard(owner)
    payout = money.payout(owner, 4000)["id"]

    def mark() -> None:
        execute(update(Payment).where(Payment.id == paid).values(title=CANARY))
        execute(update(Payout).where(Payout.id == payout).values(failure=CANARY))

    with app.app_context():
        in_transaction(mark)
        db.session.remove()
    return paid, payout


def _application(app: Flask, owner: Person, other: Person) -> int:
    task_id = things.task(owner)["id"]
    return int(things.application(other, task_id, message=CANARY)["id"])


def _calls(app: Flask, victim: Victim) -> list[tuple[str, str, Access, dict[str, Any], set[str]]]:
    document = app.test_client().get("/openapi.json").json
    calls = []
    for rule in app.url_map.iter_rules():
        access = getattr(getattr(app.view_functions[rule.endpoint], "guard", None), "access", None)
        if access is None or rule.rule in ENDS_OWN_SIGN_IN:
            continue
        path = "/".join(_filled(part, victim.ids) for part in rule.rule.split("/")) + ASKING.get(rule.rule, "")
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
    return person.call(method, path, **money.key(), **({"json": body} if method in {"POST", "PUT"} else {}))


def _rows(app: Flask, ignoring_user: int) -> set[str]:
    """Every row of every table but the caller's own account and the fresh ones it may make; what all together have
    paid the marketplace is nobody's."""
    with app.app_context():
        found = {
            f"{table.name} {tuple(row)}"
            for table in Base.metadata.sorted_tables
            if table.name != "receipt_series"
            for row in fetch(select(table))
            if table.name != "ledger_accounts" or row.owner_id is not None
            if (row.id if table.name == "users" else getattr(row, "user_id", None)) != ignoring_user
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


@pytest.fixture
def ex_participant(app: Flask, victim: Victim) -> Person:
    """Somebody who gave the victim's task back, withdrew from another, and has nothing to do with them any more."""
    person = sign_up(app, "former")
    declined = things.task(victim.owner)["id"]
    application = things.application(person, declined)["id"]
    victim.owner.post(f"/api/tasks/{declined}/applications/{application}/accept")
    assert person.post(f"/api/tasks/{declined}/decline").status_code == 200
    withdrawn = things.task(victim.owner)["id"]
    application = things.application(person, withdrawn)["id"]
    assert person.delete(f"/api/tasks/{withdrawn}/applications/{application}").status_code == 200
    return person


def dead_token(app: Flask, kind: str) -> Person:
    """Somebody whose token opens nothing (any more)."""
    person = sign_up(app, "ghost")
    if kind == "revoked":
        person.post("/api/auth/logout")
        return person
    if kind == "refresh":
        return Person(app, person.user, person.refresh_token)
    if kind == "second factor pending":
        return Person(app, person.user, _pending(person))
    with app.app_context():
        _close(person.id, kind)
        db.session.remove()
    return person


def _pending(person: Person) -> str:
    """What a log-in answers before the second factor was shown."""
    secret = person.post("/api/auth/2fa/setup").json["secret"]
    person.post("/api/auth/2fa/enable", json={"code": TOTP(secret).now()})
    credentials = {"username": "ghost", "password": PASSWORD}
    answer = person.app.test_client().post("/api/auth/login", json=credentials)
    return str(answer.json["challenge_token"])


def _close(user_id: int, kind: str) -> None:
    def close() -> None:
        user = one(people.everybody().where(User.id == user_id), "person")
        account_admin_service.suspend(user, "Spam") if kind == "suspended" else account_admin_service.erase(user)

    in_transaction(close)


@pytest.mark.parametrize("kind", ["suspended", "deleted", "revoked", "refresh", "second factor pending"])
def test_dead_tokens_open_nothing(app: Flask, victim: Victim, kind: str) -> None:
    ghost = dead_token(app, kind)
    before = _rows(app, ghost.id)
    for method, path, access, body, _ in _calls(app, victim):
        answer = _call(ghost, method, path, body)
        assert answer.status_code < 500, (method, path)
        assert CANARY not in answer.text, (method, path)
        if access.token == "access" or (access is REFRESHING and kind != "refresh"):
            assert answer.status_code == 401, (method, path, answer.json)
    assert before <= _rows(app, ghost.id)


@pytest.mark.parametrize("who", ["stranger", "ex_participant"])
def test_others_learn_and_change_nothing(app: Flask, victim: Victim, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    before = _rows(app, person.id)
    for method, path, access, body, arguments in _calls(app, victim):
        answer = _call(person, method, path, body)
        assert answer.status_code < 500, (method, path)
        assert CANARY not in answer.text, (method, path)
        if access.permission:
            assert answer.status_code == 403, (method, path)
        elif arguments - PUBLIC_TO_STRANGERS:
            assert answer.status_code in {403, 404}, (method, path, answer.json)
    assert before <= _rows(app, person.id)


def test_a_read_only_key_reads_what_is_public_and_changes_nothing(app: Flask, victim: Victim, stranger: Person) -> None:
    scopes = [scope for scope in SCOPES if scope.endswith(":read")]
    key = stranger.post("/api/auth/api-keys", json={"name": "reader", "scopes": scopes}).json["key"]
    before = _rows(app, 0)
    for method, path, access, body, arguments in _calls(app, victim):
        answer = Person(app).call(method, path, headers={"X-API-Key": key}, **({"json": body} if body else {}))
        assert answer.status_code < 500, (method, path)
        assert CANARY not in answer.text, (method, path)
        if method != "GET" and access.token is not None:
            assert answer.status_code in {401, 403}, (method, path, answer.json)
        elif arguments - PUBLIC_TO_STRANGERS or access.permission:
            assert answer.status_code in {403, 404}, (method, path, answer.json)
    assert before <= _rows(app, 0)


def test_the_owner_reads_what_is_theirs(app: Flask, victim: Victim) -> None:
    for method, path, access, body, _ in _calls(app, victim):
        if method == "GET" and access is SIGNED_IN:
            assert _call(victim.owner, method, path, body).status_code in {200, 404}, path
    seen = victim.owner.get("/api/listings/my").text + victim.owner.get("/api/tasks/created").text
    assert seen.count(CANARY) >= 2
    for path in (f"/conversations/{victim.ids['conversation_id']}/messages", "/conversations", f"/search?q={CANARY}"):
        assert CANARY in victim.owner.get(f"/api/messages{path}").text


@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_staff_do_what_their_role_may_and_meet_no_error_of_ours(app: Flask, victim: Victim, role: str) -> None:
    person = sign_up(app, "staff", role=role)
    for method, path, access, body, _ in _calls(app, victim):
        answer = _call(person, method, path, body)
        assert answer.status_code < 500, (method, path, answer.text)
        if access.token == "access":
            assert answer.status_code != 401, (method, path)
        if access.permission and access.permission not in OF_ROLE[role]:
            assert answer.status_code == 403, (method, path)
        elif access.permission and method == "GET":
            assert answer.status_code in {200, 404}, (method, path)


def test_an_admin_does_not_read_private_conversations(victim: Victim, admin: Person) -> None:
    answer = admin.get(f"/api/messages/conversations/{victim.ids['conversation_id']}/messages")
    assert answer.status_code == 404
