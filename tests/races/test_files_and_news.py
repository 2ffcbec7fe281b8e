"""Bursts of uploads stay within the quota; many relays tell a fact once."""

import threading
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.core.queues.outbox import OutboxRow, publish, relay, subscribers
from marketplace.events.tasks import TaskStarted
from marketplace.notifications import service as notifications
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE, deliver_due
from marketplace.notifications.models import Notification
from marketplace.uploads import queries, service
from marketplace.uploads.models import UploadUsage
from tests.factories import things
from tests.factories.people import Person
from tests.factories.pictures import picture
from tests.factories.things import send_file
from tests.races.burst import burst
from tests.servers.waiting import PATIENCE

AT_ONCE = 12
DATA = picture("PNG", (40, 40))


def _sends(anna: Person) -> list[Any]:
    return [partial(send_file, anna, "/api/uploads", DATA)] * AT_ONCE


def test_a_burst_of_uploads_stays_within_the_quota(app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    size = things.upload(anna)["size"]
    one = things.upload(anna, data=DATA)["size"]
    monkeypatch.setitem(app.config, "UPLOAD_QUOTA_BYTES", size + 4 * one)
    answers = burst(_sends(anna))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [413] * (AT_ONCE - 3)
    assert anna.get("/api/uploads").json["used_bytes"] == size + 4 * one


@pytest.mark.control
def test_control_read_then_write_loses_count_of_the_quota(
    app: Flask, anna: Person, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    things.upload(anna)
    all_have_read = threading.Barrier(AT_ONCE, timeout=PATIENCE)

    def careless(user_id: int, size: int, *, files: int, limited: bool = True) -> None:
        before = queries.used(user_id)
        all_have_read.wait()
        execute(update(UploadUsage).where(UploadUsage.user_id == user_id).values(size=before + size))

    monkeypatch.setattr(service, "_take_room", careless)
    if database == "sqlite":
        monkeypatch.setattr("marketplace.core.database.db.writing_options", lambda engine: {})
    burst(_sends(anna))


def test_one_direct_upload_completed_at_once_is_one_file(app: Flask, anna: Person) -> None:
    way = anna.post("/api/uploads/direct", json={"content_type": "image/png", "size": len(DATA)}).json["upload"]
    Person(app).call("PUT", way["url"], data=DATA)
    answers = burst([partial(anna.post, f"/api/uploads/{way['id']}/complete")] * AT_ONCE)
    assert {answer.status_code for answer in answers} <= {200, 422}  # 422: its bytes are being moved right now
    assert any(answer.status_code == 200 for answer in answers)
    listed = anna.get("/api/uploads").json
    assert (listed["total"], listed["used_bytes"]) == (1, listed["uploads"][0]["size"])
    assert anna.get(listed["uploads"][0]["url"]).status_code == 200


def test_a_file_deleted_and_completed_at_once_leaves_nothing_behind(app: Flask, anna: Person) -> None:
    names = [things.upload(anna)["filename"] for _ in range(4)]
    answers = burst([partial(anna.delete, f"/api/uploads/{name}") for name in names for _ in range(3)])
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [404] * 8
    assert anna.get("/api/uploads").json["used_bytes"] == 0


def _at_once(app: Flask, work: Any) -> None:
    def run() -> None:
        with app.app_context():
            work()
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_relays_and_many_posts_tell_each_fact_once(app: Flask, anna: Person, juris: Person) -> None:
    for _ in range(5):
        things.application(juris, things.task(anna)["id"])
    _at_once(app, relay)
    _at_once(app, deliver_due)
    told = [one["type"] for one in anna.get("/api/notifications").json["notifications"]]
    assert sorted(told) == ["new_application"] * 5 + ["welcome"]
    with app.app_context():
        sent = fetch(select(DELIVERY_QUEUE.table.c.attempts, DELIVERY_QUEUE.table.c.done_at))
        db.session.remove()
    assert [(row.attempts, row.done_at is not None) for row in sent] == [(1, True)] * len(sent)


def test_control_without_a_key_a_fact_told_twice_is_told_twice(
    app: Flask, anna: Person, juris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = TaskStarted(task_id=things.task(anna)["id"], owner_id=anna.id, worker_id=juris.id, version=1)

    def tell_twice() -> int:
        with app.app_context():
            in_transaction(lambda: publish(fact))
            relay()
            again = update(OutboxRow).where(OutboxRow.name == "TaskStarted")
            in_transaction(lambda: execute(again.values(done_at=None, due_at=OutboxRow.created_at)))
            relay()
            mine = select(Notification.id).where(Notification.type == "task_started")
            found = len(fetch(mine))
            db.session.remove()
        return found

    assert subscribers[TaskStarted]
    assert tell_twice() == 1
    keys = iter(range(10))
    careless = notifications.notify_once

    def without_key(user_id: int, kind: str, key: str, **values: Any) -> Any:
        return careless(user_id, kind, f"{key}{next(keys)}", **values)

    monkeypatch.setattr(notifications, "notify_once", without_key)
    assert tell_twice() > 2
