"""Reporting, and what staff do about it."""

import pytest
from flask import Flask

from marketplace.core.queues.outbox import relay
from tests.factories import things
from tests.factories.people import Person

PATH, QUEUE = "/api/reports", "/api/admin/reports"


def reported(reporter: Person, kind: str, target_id: int, **more: str) -> str:
    """The address where staff resolve a report."""
    answer = reporter.post(PATH, {"type": kind, "target_id": target_id, "reason": "spam", **more})
    assert answer.status_code == 201, answer.json
    return f"{QUEUE}/{answer.json['id']}/resolve"


def news(person: Person) -> list[str]:
    """Types of what somebody was told."""
    with person.app.app_context():
        relay()
    return [one["type"] for one in person.get("/api/notifications").json["notifications"]]


def test_a_warning_is_told_with_what_staff_say_and_not_with_the_reporters_words(
    anna: Person, juris: Person, admin: Person
) -> None:
    path = reported(anna, "user", juris.id, description="He shouts.")
    assert admin.post(path, {"action": "warn", "notes": "Be kind."}).json["report"]["note"] == "Be kind."
    assert "account_warned" in news(juris)
    (warning,) = [
        one for one in juris.get("/api/notifications").json["notifications"] if one["type"] == "account_warned"
    ]
    assert "Be kind." in warning["message"]
    assert "shouts" not in str(warning)
    assert "account_warned" not in news(anna)


def test_a_ban_closes_the_account(anna: Person, juris: Person, admin: Person) -> None:
    path = reported(anna, "offering", things.offering(juris)["id"])
    assert admin.post(path, {"action": "ban"}).status_code == 200
    assert juris.get("/api/auth/profile").status_code == 401
    assert admin.get(f"/api/admin/users/{juris.id}").json["suspension_reason"] == "spam"


@pytest.mark.parametrize(("kind", "make"), [("listing", things.listing), ("offering", things.offering)])
def test_what_is_deleted_is_gone_and_what_is_dismissed_stays(
    anna: Person, juris: Person, admin: Person, kind: str, make: object
) -> None:
    gone, kept = (make(juris, title=title)["id"] for title in ("Gone", "Kept"))  # type: ignore[operator]
    assert admin.post(reported(anna, kind, gone), {"action": "delete_content"}).status_code == 200
    dismissed = admin.post(reported(anna, kind, kept), {"action": "dismiss"}).json["report"]
    assert (dismissed["status"], dismissed["action"]) == ("dismissed", "dismiss")
    assert [anna.get(f"/api/{kind}s/{one}").status_code for one in (gone, kept)] == [404, 200]


def test_only_what_is_there_and_others_is_reported_and_once(anna: Person, juris: Person) -> None:
    task = things.task(anna)["id"]
    body = {"type": "task", "target_id": task, "reason": "spam"}
    assert anna.post(PATH, body).json["errors"].keys() == {"target_id"}
    assert juris.post(PATH, {**body, "target_id": 987_654}).status_code == 404
    assert juris.post(PATH, {**body, "type": "moon"}).status_code == 422
    assert juris.post(PATH, {**body, "reason": ""}).status_code == 422
    assert juris.post(PATH, body).status_code == 201
    again = juris.post(PATH, body)
    assert (again.status_code, again.json["code"]) == (409, "reported_already")


def test_what_cannot_be_deleted_leaves_the_report_open(anna: Person, juris: Person, admin: Person) -> None:
    person = reported(anna, "user", juris.id)
    assert admin.post(person, {"action": "delete_content"}).status_code == 422
    running = things.assigned_task(juris, anna)["id"]
    task = reported(anna, "task", running)
    assert admin.post(task, {"action": "delete_content"}).status_code == 409
    assert {one["status"] for one in admin.get(QUEUE).json["reports"]} == {"pending"}


def test_nobody_decides_about_what_is_said_of_them(app: Flask, anna: Person, admin: Person) -> None:
    path = reported(anna, "user", admin.id)
    assert admin.post(path, {"action": "dismiss"}).status_code == 403
    assert anna.post(path, {"action": "dismiss"}).status_code == 403
