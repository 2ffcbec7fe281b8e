"""Roles, suspension, presence: what staff decide, and what others see of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.auth import activity
from marketplace.core.database.db import db
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up

Work = Callable[[], None]
ROW = "(id, created_at, action, subject_type, address, request_id, details)"
FORGED = "(1, '2026-01-01', 'forged', '', '', '', '{}')"
CHANGES = {
    "changed": "UPDATE audit_log SET action = 'nothing'",
    "deleted": "DELETE FROM audit_log",
    "replaced": f"INSERT OR REPLACE INTO audit_log {ROW} VALUES {FORGED}",
}


def log_in(app: Flask, name: str) -> int:
    """The status of a log-in."""
    return app.test_client().post("/api/auth/login", json={"username": name, "password": PASSWORD}).status_code


def ban(admin: Person, person: Person, reason: str = "Sells what is not there") -> int:
    """The status of a suspension."""
    return admin.post(f"/api/admin/users/{person.id}/ban", json={"reason": reason}).status_code


def test_a_suspended_account_is_closed_and_nothing_of_it_is_on_offer(
    shop: Flask, work: Work, anna: Person, juris: Person, admin: Person
) -> None:
    listing, offering = things.listing(anna)["id"], things.offering(anna)["id"]
    task, running = things.task(anna)["id"], things.assigned_task(anna, juris)["id"]
    applied = things.task(juris)["id"]
    things.application(anna, applied)
    waiting = things.application(juris, task)

    assert ban(admin, anna) == 200
    assert anna.get("/api/auth/profile").status_code == 401
    assert log_in(shop, "anna") == 401
    work()

    states = [admin.get(path).json["status"] for path in (f"/api/listings/{listing}", f"/api/offerings/{offering}")]
    assert states == ["archived", "paused"]
    assert [admin.get(f"/api/tasks/{one}").json["status"] for one in (task, running)] == ["cancelled", "assigned"]
    assert juris.get(f"/api/tasks/{applied}").json["responses_count"] == 0
    mine = juris.get("/api/tasks/my-applications").json["applications"]
    assert {row["status"] for row in mine if row["id"] == waiting["id"]} == {"rejected"}


def test_who_is_suspended_is_told_why_and_who_is_back_signs_in(
    shop: Flask, work: Work, anna: Person, admin: Person, mail: object
) -> None:
    ban(admin, anna, "Too many <complaints>")
    work()
    letters = [one for one in mail.mailbox.letters.values() if one["To"] == "anna@example.com"]  # type: ignore[attr-defined]
    assert any("Too many <complaints>" in one.get_body(("plain",)).get_content() for one in letters)
    assert admin.post(f"/api/admin/users/{anna.id}/unban").status_code == 200
    assert log_in(shop, "anna") == 200


def test_suspending_twice_is_suspending_once(app: Flask, anna: Person, admin: Person) -> None:
    assert [ban(admin, anna), ban(admin, anna)] == [200, 200]
    log = admin.get("/api/admin/audit-log", query_string={"subject_id": anna.id, "action": "account.suspended"}).json
    assert log["total"] == 1


def test_moderators_do_not_touch_staff_and_nobody_themselves(app: Flask, anna: Person, admin: Person) -> None:
    moderator = sign_up(app, "moderator", role="moderator")
    assert ban(moderator, anna) == 200
    assert ban(moderator, admin) == 403
    assert ban(admin, admin) == 403
    assert admin.put(f"/api/admin/users/{admin.id}/role", json={"role": "user"}).status_code == 403
    assert moderator.put(f"/api/admin/users/{anna.id}/role", json={"role": "admin"}).status_code == 403


def test_a_role_is_given_and_taken_and_both_are_written_down(app: Flask, anna: Person, admin: Person) -> None:
    for role, status in (("moderator", 200), ("user", 403)):
        assert admin.put(f"/api/admin/users/{anna.id}/role", json={"role": role}).status_code == 200
        assert anna.get("/api/admin/users").status_code == status
    asked = {"subject_id": anna.id, "subject_type": "user"}
    log = admin.get("/api/admin/audit-log", query_string=asked).json["audit_log"]
    told = [(row["action"], row["actor_id"], row["details"], row["address"]) for row in log]
    assert told == [
        ("role.granted", admin.id, {"role": "user", "before": "moderator"}, "127.0.0.1"),
        ("role.granted", admin.id, {"role": "moderator", "before": "user"}, "127.0.0.1"),
    ]
    assert all(row["request_id"] for row in log)


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_keeps_the_audit_log(
    app: Flask, database: str, anna: Person, admin: Person, change: str
) -> None:
    if change == "replaced" and database == "postgres":
        return  # it has no such statement
    admin.put(f"/api/admin/users/{anna.id}/role", json={"role": "moderator"})
    row = admin.get("/api/admin/audit-log").json["audit_log"][0]
    statement = text(CHANGES[change].replace("(1,", f"({row['id']},"))
    refused = pytest.raises(DBAPIError, match="only ever added to")
    with app.app_context(), db.engine.connect() as connection, refused:
        connection.execute(statement)
    assert admin.get("/api/admin/audit-log").json["total"] == 1


def test_accounts_are_found_by_the_beginning_of_their_names(app: Flask, anna: Person, admin: Person) -> None:
    for start in ("ann", "ANNA@exam"):
        found = admin.get("/api/admin/users", query_string={"q": start}).json["users"]
        assert [user["id"] for user in found] == [anna.id]
    for nothing in ("%", "_nna", "nna", "\\"):
        assert admin.get("/api/admin/users", query_string={"q": nothing}).json["users"] == []


def test_others_see_when_somebody_was_active(app: Flask, anna: Person, juris: Person) -> None:
    assert juris.get(f"/api/auth/users/{anna.id}").json["is_online"] is False
    with app.app_context(), time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        anna.get("/api/auth/profile")
        activity.flush()
        seen = juris.get(f"/api/auth/users/{anna.id}").json
        assert seen["is_online"] is True
        first = seen["last_active_at"]
        anna.get("/api/auth/profile")
        activity.flush()
        assert juris.get(f"/api/auth/users/{anna.id}").json["last_active_at"] == first
        db.session.remove()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        assert juris.get(f"/api/auth/users/{anna.id}").json["is_online"] is False


def test_availability_is_said_by_oneself(app: Flask, anna: Person, juris: Person) -> None:
    assert juris.get(f"/api/auth/users/{anna.id}").json["availability"] == "available"
    assert anna.put("/api/auth/profile", json={"availability": "busy"}).status_code == 200
    assert juris.get(f"/api/auth/users/{anna.id}").json["availability"] == "busy"
    assert anna.put("/api/auth/profile", json={"availability": "asleep"}).status_code == 422
