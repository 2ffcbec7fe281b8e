"""The application lives a small story again and again, and dies each time one step later.

Run as a process of its own: it forks a child for each life before anything is connected. A step is
a commit, or a call to the outside (its beginning and its end). After each death a second child
recovers: the people repeat what they were not answered, the leases are over, the work is done.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

import config
from marketplace.app import create_app
from marketplace.cli.audit import findings
from marketplace.core.database.db import fetch, in_transaction
from marketplace.core.queues import jobs
from marketplace.core.queues.outbox import relay
from marketplace.core.queues.work_queue import QUEUES
from marketplace.notifications.deliveries.service import deliver_due
from marketplace.notifications.gateways.smtp import SmtpChannel
from marketplace.uploads.gateways.local import LocalStorage
from tests.factories.people import PASSWORD, Person
from tests.factories.pictures import picture

DIED, FINISHED = 9, 0
MOST_STEPS = 80
OPEN = ("waiting", "failed", "dead")


class Steps:
    """Counts down to the death of this process."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, *_: Any) -> None:
        """One step; the last one is never finished."""
        self.left -= 1
        if self.left == 0:
            os._exit(DIED)

    def around(self, owner: type, name: str) -> None:
        """A call to the outside is a step at its beginning and one at its end."""
        real: Callable[..., Any] = getattr(owner, name)

        def stepping(*args: Any, **kwargs: Any) -> Any:
            self.take()
            answer = real(*args, **kwargs)
            self.take()
            return answer

        setattr(owner, name, stepping)


def die_at(step: int) -> None:
    """Hook in."""
    steps = Steps(step)
    event.listen(Engine, "commit", steps.take)
    for name in ("put", "delete"):
        steps.around(LocalStorage, name)
    steps.around(SmtpChannel, "send")


def story(app: Flask, number: int) -> None:
    """What people do; whoever was not answered asks again with the same key."""
    owner, helper = _person(app, f"owner_{number}"), _person(app, f"helper_{number}")
    stored = _multipart(owner, "/api/uploads", "upload")
    task = _once(owner, "/api/tasks", {**TASK, "images": [stored["url"]]}, "task")["id"]
    _once(helper, f"/api/tasks/{task}/apply", {"message": "I can."}, "apply")
    spare = _multipart(owner, "/api/uploads", "spare", colour=(0, 0, 9))
    work(app)
    owner.delete(spare["url"])
    work(app)


TASK = {"title": "Carry a sofa", "description": "No lift.", "category": "moving", "budget": 40, "location": "Rīga"}
TASK |= {"latitude": 56.9, "longitude": 24.1}


def work(app: Flask) -> None:
    """Everything that is due."""
    with app.app_context():
        while sum((relay(), jobs.run_due(), deliver_due())):
            pass


def _person(app: Flask, name: str) -> Person:
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    of_this_life = {"REMOTE_ADDR": f"192.0.2.{name.rpartition('_')[2]}"}
    answer = app.test_client().post("/api/auth/register", json=body, environ_overrides=of_this_life)
    if answer.status_code == 409:
        answer = app.test_client().post("/api/auth/login", json=body, environ_overrides=of_this_life)
    return Person(app, answer.json["user"], answer.json["token"])


def _once(person: Person, path: str, body: dict[str, Any], key: str) -> Any:
    answer = person.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.json
    return next(value for value in answer.json.values() if isinstance(value, dict))


def _multipart(person: Person, path: str, key: str, **how: Any) -> Any:
    data = {"file": (BytesIO(picture("PNG", (900, 600), **how)), "photo.png")}
    headers = {"Idempotency-Key": key}
    answer = person.call("POST", path, data=data, content_type="multipart/form-data", headers=headers)
    assert answer.status_code == 201, answer.json
    return answer.json


def recover(app: Flask, number: int) -> dict[str, Any]:
    """Ask again, let the leases pass, work; then say how it looks."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        story(app, number)
        work(app)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)), app.app_context():
        in_transaction(lambda: jobs.enqueue("sweep_uploads"))
        while sum((relay(), jobs.run_due(), deliver_due())):
            pass
    with app.app_context():
        owner = _person(app, f"owner_{number}")
        return {
            "findings": findings(),
            "left": {f"{name} {state}": queue.count(state) for name, queue in QUEUES.items() for state in OPEN},
            "told": sorted(one["type"] for one in owner.get("/api/notifications").json["notifications"]),
            "tasks": owner.get("/api/tasks/created").json["total"],
            "thumbnails": _thumbnails(owner),
            "errors": [row.error for queue in QUEUES.values() for row in fetch(queue.table.select()) if row.error],
        }


def _thumbnails(owner: Person) -> list[str]:
    """What the small form of the task's picture is."""
    links = owner.get("/api/tasks/created").json["tasks"][0]["image_urls"]
    return [owner.get(link.replace(".png", "-small.webp")).content_type for link in links]


def in_a_child(work_of_child: Callable[[], Any]) -> tuple[int, Any]:
    """Fork, run, and read what the child has to say."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            said = json.dumps(work_of_child())
            os.write(writing, said.encode())
            code = FINISHED
        except BaseException:  # noqa: BLE001 - a child ends here whatever happens
            traceback.print_exc()
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, json.loads(said) if said else None


def main(every: int) -> None:
    """One line of JSON for each death, until a life comes to its end."""
    settings = config.load({**os.environ, "MARKETPLACE_ENV": "testing", "RATE_LIMITS": "0"})

    def live(step: int) -> None:
        app = create_app(settings)
        die_at(step)
        story(app, step)

    for step in range(1, MOST_STEPS * every, every):
        code, _ = in_a_child(lambda step=step: live(step))
        if code not in {DIED, FINISHED}:
            sys.exit(f"step {step}: the story itself broke")
        if code == FINISHED:
            break
        code, said = in_a_child(lambda step=step: recover(create_app(settings), step))
        print(json.dumps({"step": step, "recovered": code == FINISHED, **(said or {})}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
