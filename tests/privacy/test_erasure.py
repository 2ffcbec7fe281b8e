"""Taking one's data along, and leaving: nothing of the person is found afterwards."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import MetaData, Table, delete, inspect, select

from marketplace.core.database.db import Base, db, execute, fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.privacy import erasure
from marketplace.privacy import jobs as privacy_jobs
from marketplace.privacy.data_inventory import register
from marketplace.privacy.erasure import erase_rest
from marketplace.privacy.export_archive import pack
from marketplace.uploads.models import Upload
from tests.factories import things
from tests.factories.people import PASSWORD, Person, sign_up
from tests.races.burst import burst
from tests.servers.mail import MailServer

CANARY = "Zvirbulis"
NUMBER = "+37120000077"
MAILBOX = "zvirbulis@example.com"
KEPT = {("audit_log", "address"), ("phone_turns", "name"), ("phone_codes", "phone")}

Work = Callable[[], None]


def test_every_column_of_every_table_is_registered(context: Flask) -> None:
    known = {name: entry.columns for name, entry in register().items()}
    assert known == {table.name: {column.name for column in table.c} for table in Base.metadata.sorted_tables}


def test_the_register_names_columns_that_exist(context: Flask) -> None:
    for name, entry in register().items():
        named = {*entry.export, *entry.delete, *entry.hidden, *entry.blank}
        assert named <= {column.name for column in Base.metadata.tables[name].c}, name
        assert not (entry.delete and entry.blank), name


@pytest.fixture
def leaver(shop: Flask, work: Work) -> Person:
    """Somebody who has written their name everywhere they could, and whose friends were told of it."""
    person = sign_up(shop, CANARY.lower(), email=MAILBOX, phone=NUMBER, first_name=CANARY, last_name=f"{CANARY}s")
    friend = sign_up(shop, "friend")
    person.put("/api/auth/profile", json={"bio": CANARY, "city": CANARY, "skills": CANARY, "availability": "busy"})
    picture = things.upload(person)["url"]
    document = things.upload(person, "document")["url"]
    person.put("/api/auth/profile", json={"avatar_url": picture})
    person.post("/api/auth/verification", json={"document_type": "passport", "files": [document], "note": CANARY})
    key = {"name": CANARY, "scopes": ["listings:read"]}
    person.post("/api/auth/api-keys", json=key, headers={"Idempotency-Key": "k"})
    listing = things.listing(person, title=CANARY, description=MAILBOX, tags=CANARY, images=[picture])["id"]
    person.put(f"/api/listings/{listing}", json={"contact_info": NUMBER})
    things.offering(person, title=CANARY, description=NUMBER, experience=CANARY, availability=CANARY)
    things.task(person, title=CANARY, description=CANARY, required_skills=CANARY)
    done = things.completed_task(person, friend, title=f"Help {CANARY}")["id"]
    theirs = things.assigned_task(friend, person)["id"]
    person.post(f"/api/tasks/{theirs}/start")
    person.post(f"/api/tasks/{theirs}/done", json={"note": CANARY})
    friend.post(f"/api/tasks/{theirs}/confirm")
    things.application(person, things.task(friend)["id"], message=CANARY)
    declined = things.assigned_task(friend, person)["id"]
    person.post(f"/api/tasks/{declined}/decline", json={"reason": CANARY})
    offering = things.offering(person, title=CANARY)["id"]
    cancelled = things.assigned_task(friend, person)["id"]
    friend.post(f"/api/tasks/{cancelled}/cancel", json={"reason": "My plans have changed."})
    booked = friend.post(f"/api/offerings/{offering}/book").json["task"]["id"]
    person.post(f"/api/tasks/{booked}/decline", json={"reason": CANARY})
    things.review(person, done, content=CANARY)
    things.review(friend, done, content="Kind, and on time.")
    talk = person.post("/api/messages/conversations", json={"user_id": friend.id, "message": CANARY}).json["id"]
    friend.post(f"/api/messages/conversations/{talk}/messages", json={"content": "Hello"})
    person.post("/api/favorites", json={"item_type": "listing", "item_id": listing})
    person.post("/api/auth/phone/send-code", json={"phone": NUMBER})
    Person(shop).post("/api/auth/password/forgot", json={"email": MAILBOX})
    Person(shop).post("/api/auth/phone/send-code", json={"phone": NUMBER})
    work()
    return person


def found_in(app: Flask, *needles: str) -> list[str]:
    """Where in the database, whatever the table, these are still written."""
    with app.app_context():
        tables = MetaData()
        names = inspect(db.engine).get_table_names()
        for name in names:
            Table(name, tables, autoload_with=db.engine)
        hits = [
            f"{table.name}.{column}: {value}"
            for table in tables.sorted_tables
            for row in fetch(select(table))
            for column, value in row._mapping.items()
            if (table.name, column) not in KEPT and any(needle.lower() in _plain(value) for needle in needles)
        ]
        db.session.remove()
    return hits


def _plain(value: Any) -> str:
    return (value.decode(errors="replace") if isinstance(value, bytes) else json.dumps(value, default=str)).lower()


def much_later(work: Work) -> None:
    """When no request can be on its way any more."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        work()


def leave(person: Person, password: str = PASSWORD) -> Any:
    """Ask for it."""
    return person.call("DELETE", "/api/auth/account", json={"password": password})


def test_nothing_of_who_has_left_is_found(shop: Flask, work: Work, leaver: Person, stranger: Person) -> None:
    files = _files_of(shop, leaver)
    assert len(files) > 2
    assert len(found_in(shop, CANARY, MAILBOX, NUMBER)) > 40

    assert leave(leaver).status_code == 200
    much_later(work)

    assert found_in(shop, CANARY, MAILBOX, NUMBER) == []
    assert not any(path.exists() for path in files)
    for path in ("/api/listings", "/api/tasks", "/api/offerings", "/api/helpers"):
        assert CANARY.lower() not in stranger.get(path, query_string={"search": CANARY, "q": CANARY}).text.lower()
    assert leaver.get("/api/auth/profile").status_code == 401
    assert stranger.get(f"/api/auth/users/{leaver.id}").status_code == 404
    assert sign_up(shop, CANARY.lower(), email=MAILBOX).id != leaver.id


def test_what_others_are_owed_stays_without_a_name(shop: Flask, work: Work, leaver: Person) -> None:
    answer = shop.test_client().post("/api/auth/login", json={"username": "friend", "password": PASSWORD})
    friend = Person(shop, answer.json["user"], answer.json["token"])
    before = friend.get(f"/api/auth/users/{friend.id}").json
    leave(leaver)
    much_later(work)
    after = friend.get(f"/api/auth/users/{friend.id}").json
    for figure in ("reviews_count", "average_rating", "completed_tasks"):
        assert before[figure] == after[figure] != 0
    said = {"reviews.content: Kind, and on time.", "tasks.reason: My plans have changed."}
    assert said <= set(found_in(shop, "kind, and on time", "my plans have"))
    done = next(row for row in friend.get("/api/tasks/my").json["tasks"] if row["creator_id"] == leaver.id)
    assert (done["status"], done["title"], done["creator_name"]) == ("completed", "", f"erased-{leaver.id}")
    talk = friend.get("/api/messages/conversations").json["conversations"][0]
    said = friend.get(f"/api/messages/conversations/{talk['id']}/messages").json["messages"]
    assert sorted(message["content"] for message in said) == ["", "Hello"]


def test_a_killed_erasure_is_finished_by_the_next_attempt(shop: Flask, work: Work, leaver: Person) -> None:
    assert leave(leaver).status_code == 200
    for stop in range(0, len(Base.metadata.tables), 5):
        _die_at(shop, leaver.id, stop)
    with shop.app_context():
        erase_rest(leaver.id)
        db.session.remove()
    much_later(work)
    assert found_in(shop, CANARY, MAILBOX, NUMBER) == []


def _die_at(app: Flask, user_id: int, step: int) -> None:
    """Run the erasure until its transaction of this number, which does not happen."""
    left = iter(range(step))

    def counted(work: Callable[[], Any]) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return in_transaction(work)

    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure, "in_transaction", counted)
        with pytest.raises(KeyboardInterrupt):
            erase_rest(user_id)
        db.session.remove()


def test_leaving_takes_the_password(shop: Flask, anna: Person) -> None:
    assert leave(anna, "not this one").status_code == 403
    assert anna.call("DELETE", "/api/auth/account", json={}).status_code == 422
    assert anna.get("/api/auth/profile").status_code == 200


def test_nobody_leaves_while_somebody_waits_for_them(app: Flask, anna: Person, juris: Person) -> None:
    task_id = things.assigned_task(anna, juris)["id"]
    for person in (anna, juris):
        assert (leave(person).status_code, leave(person).json["code"]) == (409, "still_needed")
    anna.post(f"/api/tasks/{task_id}/cancel")
    assert leave(juris).status_code == 200


def test_leaving_twice_at_once_is_leaving_once(app: Flask, anna: Person) -> None:
    answers = burst([partial(leave, anna)] * 6)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


def _files_of(app: Flask, person: Person) -> list[Path]:
    """A person's own, with their thumbnails."""
    stems = {one["filename"].partition(".")[0] for one in person.get("/api/uploads").json["uploads"]}
    return [path for path in Path(app.config["UPLOADS_DIR"]).rglob("*") if path.name[:32] in stems]


def test_my_data_comes_as_a_zip_of_json(shop: Flask, work: Work, mail: MailServer, leaver: Person) -> None:
    asked = leaver.post("/api/auth/export")
    assert (asked.status_code, asked.json["export"]["status"]) == (202, "waiting")
    assert leaver.post("/api/auth/export").json["id"] == asked.json["id"]
    work()
    export = leaver.get(f"/api/auth/export/{asked.json['id']}").json
    assert (export["status"], export["done"]) == ("done", export["total"])

    archive = _opened(shop, export["result_url"])
    tables = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    (me,) = tables["users.json"]
    assert (me["email"], me["first_name"]) == (MAILBOX, CANARY)
    assert "password_hash" not in me
    assert [row["title"] for row in tables["listings.json"]] == [CANARY]
    assert [row["content"] for row in tables["messages.json"]] == [CANARY]
    assert len(tables["tasks.json"]) == 5
    assert {row["owner_id"] for row in tables["uploads.json"]} == {leaver.id}
    sent = leaver.get("/api/uploads").json["uploads"]
    assert {row["id"]: archive.read(row["file"]) for row in tables["files.json"]} == {
        one["id"]: leaver.get(f"/api/uploads/{one['filename']}").data for one in sent
    }
    assert {row["is_private"] for row in tables["files.json"]} == {True, False}
    assert all(row["sha256"] == hashlib.sha256(archive.read(row["file"])).hexdigest() for row in tables["files.json"])
    with shop.app_context():
        exported = {name for name, entry in register().items() if entry.export}
    assert {name.removesuffix(".json") for name in tables} - {"about", "files"} == exported


def _opened(app: Flask, url: str) -> zipfile.ZipFile:
    answer = app.test_client().get(url)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "private, no-store"
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_the_letter_leads_to_the_file_for_a_week(shop: Flask, work: Work, mail: MailServer, leaver: Person) -> None:
    leaver.post("/api/auth/export")
    work()
    letter = next(one for one in mail.mailbox.letters.values() if "data is ready" in str(one["Subject"]))
    body = letter.get_body(("plain",))
    assert letter["To"] == MAILBOX
    assert body is not None
    link = next(word for word in body.get_content().split() if "/api/uploads/" in word)
    path = urlsplit(link)
    address = f"{path.path}?{path.query}"
    _opened(shop, address)
    assert shop.test_client().get(path.path).status_code == 404
    assert leaver.get(path.path).status_code == 404  # a token alone does not open it, though the file is theirs
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, minutes=1)):
        assert shop.test_client().get(address).status_code == 404


def test_the_file_is_gone_after_a_week(shop: Flask, work: Work, leaver: Person) -> None:
    job_id = leaver.post("/api/auth/export").json["id"]
    work()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        with shop.app_context():
            in_transaction(lambda: jobs.enqueue("sweep_uploads"))
            db.session.remove()
        work()
    assert leaver.get(f"/api/auth/export/{job_id}").json["result_url"] is None


def test_others_do_not_see_my_export(shop: Flask, leaver: Person, stranger: Person) -> None:
    job_id = leaver.post("/api/auth/export").json["id"]
    assert stranger.get(f"/api/auth/export/{job_id}").status_code == 404


def test_who_leaves_while_the_data_is_packed_leaves_no_file(
    shop: Flask, work: Work, leaver: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaver.post("/api/auth/export")

    def packing(user_id: int, into: IO[bytes], progress: Callable[[int, int], None]) -> None:
        pack(user_id, into, progress)
        assert leave(leaver).status_code == 200
        erase_rest(user_id)
        in_transaction(lambda: execute(delete(jobs.JobRow).where(jobs.JobRow.name == "erase_account")))  # all done

    monkeypatch.setattr(privacy_jobs, "pack", packing)
    work()
    much_later(work)
    with shop.app_context():
        assert fetch(select(Upload.id).where(Upload.owner_id == leaver.id)) == []
        db.session.remove()


def test_both_are_in_the_audit_log(shop: Flask, anna: Person, admin: Person) -> None:
    anna.post("/api/auth/export")
    leave(anna)
    log = admin.get("/api/admin/audit-log", query_string={"actor_id": anna.id}).json["audit_log"]
    assert [row["action"] for row in log] == ["account.erased", "export.asked"]


def test_an_old_proof_does_not_pack_my_data(app: Flask, anna: Person) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        answer = anna.post("/api/auth/export")
        assert (answer.status_code, answer.json["code"]) == (403, "step_up_required")
        assert anna.post("/api/auth/step-up", json={"password": PASSWORD}).status_code == 200
        assert anna.post("/api/auth/export").status_code == 202
