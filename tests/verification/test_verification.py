"""The verified badge: documents sent, looked at, decided; every step in the audit log."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.core.database.db import db, fetch
from marketplace.uploads.models import UploadUse
from tests.factories import things
from tests.factories.people import Person, sign_up
from tests.races.burst import burst

Work = Callable[[], None]


def submit(person: Person, **changes: Any) -> Any:
    """Send a passport."""
    files = [things.upload(person, "document")["url"]] if "files" not in changes else changes["files"]
    return person.post("/api/auth/verification", json={"document_type": "passport", **changes, "files": files})


def waiting(admin: Person) -> list[dict[str, Any]]:
    """What waits for a decision."""
    return list(admin.get("/api/admin/verifications").json["verifications"])


def test_documents_lead_to_the_badge(app: Flask, anna: Person, juris: Person, admin: Person) -> None:
    assert anna.get("/api/auth/verification").json == {"status": "none", "is_verified": False, "verification": None}
    assert submit(anna, note="Both sides").status_code == 201
    assert anna.get("/api/auth/verification").json["status"] == "pending"
    (one,) = waiting(admin)
    assert (one["username"], one["note"], one["files_count"]) == ("anna", "Both sides", 1)

    opened = admin.post(f"/api/admin/verifications/{one['id']}/open").json
    document = app.test_client().get(opened["files"][0]["url"])
    assert (document.status_code, document.content_type) == (200, "image/png")
    assert admin.post(f"/api/admin/verifications/{one['id']}/approve").status_code == 200

    assert anna.get("/api/auth/verification").json["is_verified"] is True
    assert juris.get(f"/api/auth/users/{anna.id}").json["is_verified"] is True
    assert waiting(admin) == []
    log = admin.get("/api/admin/audit-log", query_string={"subject_type": "verification"}).json["audit_log"]
    steps = [(row["action"], row["actor_id"]) for row in reversed(log)]
    assert steps == [
        ("verification.submitted", anna.id),
        ("verification.seen", admin.id),
        ("verification.approve", admin.id),
    ]


def test_a_refusal_says_why_and_can_be_answered(
    shop: Flask, work: Work, mail: Any, anna: Person, admin: Person
) -> None:
    first = submit(anna).json["id"]
    assert admin.post(f"/api/admin/verifications/{first}/refuse").status_code == 422
    assert admin.post(f"/api/admin/verifications/{first}/refuse", json={"reason": "It is blurred"}).status_code == 200
    work()
    told = anna.get("/api/auth/verification").json
    assert (told["status"], told["verification"]["reason"]) == ("refused", "It is blurred")
    letters = [one for one in mail.mailbox.letters.values() if one["To"] == "anna@example.com"]
    assert any("It is blurred" in one.get_body(("plain",)).get_content() for one in letters)
    assert submit(anna).status_code == 201


def test_one_submission_at_a_time_even_in_a_burst(app: Flask, anna: Person) -> None:
    files = [things.upload(anna, "document")["url"]]
    answers = burst([partial(submit, anna, files=files)] * 12)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


def test_of_two_decisions_at_once_one_counts(app: Flask, anna: Person, admin: Person) -> None:
    other = sign_up(app, "other_admin", role="admin")
    path = f"/api/admin/verifications/{submit(anna).json['id']}"
    deeds = [partial(admin.post, f"{path}/approve"), partial(other.post, f"{path}/refuse", json={"reason": "No"})]
    answers = burst(deeds * 4)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    state = anna.get("/api/auth/verification").json
    assert state["is_verified"] is (state["status"] == "approved")


@pytest.mark.parametrize("what", ["somebody else's", "public", "unknown", "none", "too many"])
def test_only_ones_own_private_documents_count(app: Flask, anna: Person, juris: Person, what: str) -> None:
    files = {
        "somebody else's": [things.upload(juris, "document")["url"]],
        "public": [things.upload(anna)["url"]],
        "unknown": ["0" * 32 + ".pdf"],
        "none": [],
        "too many": [things.upload(anna, "document")["url"]] * 11,
    }[what]
    answer = submit(anna, files=files)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["files"])


def test_taken_back_or_decided_the_files_are_no_longer_kept(app: Flask, anna: Person, admin: Person) -> None:
    submit(anna)
    assert anna.delete("/api/auth/verification").status_code == 200
    assert anna.delete("/api/auth/verification").status_code == 404
    admin.post(f"/api/admin/verifications/{submit(anna).json['id']}/approve")
    with app.app_context():
        assert fetch(select(UploadUse.id).where(UploadUse.thing == "verification")) == []
        db.session.remove()
    assert submit(anna).json["code"] == "verified_already"


def test_a_badge_does_not_rest_on_documents_that_are_gone(app: Flask, anna: Person, admin: Person) -> None:
    document = things.upload(anna, "document")
    path = f"/api/admin/verifications/{submit(anna, files=[document['url']]).json['id']}"
    assert anna.delete(f"/api/uploads/{document['filename']}").status_code == 200
    assert admin.post(f"{path}/approve").status_code == 409
    assert admin.post(f"{path}/refuse", json={"reason": "Nothing is there"}).status_code == 200


def test_nobody_decides_about_their_own(app: Flask, admin: Person) -> None:
    verification = submit(admin).json["id"]
    for verb, body in (("approve", {}), ("refuse", {"reason": "No"})):
        assert admin.post(f"/api/admin/verifications/{verification}/{verb}", json=body).status_code == 403
    assert admin.post(f"/api/admin/users/{admin.id}/verify").status_code == 403


def test_a_moderator_does_not_see_documents(app: Flask, anna: Person) -> None:
    moderator = sign_up(app, "moderator", role="moderator")
    verification = submit(anna).json["id"]
    assert moderator.get("/api/admin/verifications").status_code == 403
    assert moderator.post(f"/api/admin/verifications/{verification}/open").status_code == 403


def test_the_badge_is_given_and_taken_by_hand(app: Flask, anna: Person, admin: Person) -> None:
    verification = submit(anna).json["id"]
    given = admin.post(f"/api/admin/users/{anna.id}/verify")
    assert (given.status_code, given.json["user"]["is_verified"]) == (200, True)
    assert anna.get("/api/auth/verification").json["status"] == "approved"
    taken = admin.post(f"/api/admin/users/{anna.id}/verify", json={"is_verified": False})
    assert taken.json["user"]["is_verified"] is False
    assert anna.get("/api/auth/verification").json["status"] == "revoked"
    assert admin.post(f"/api/admin/verifications/{verification}/approve").status_code == 409
    assert admin.post("/api/admin/users/999999/verify").status_code == 404


def test_a_sound_or_a_sheet_proves_nobody(anna: Person) -> None:
    sound = things.upload(anna, "document", b"ID3\4" + bytes(100), "me.mp3")["url"]
    answer = anna.post("/api/auth/verification", json={"document_type": "passport", "files": [sound]})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["files"])
