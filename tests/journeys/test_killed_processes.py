"""Web process, worker and Redis as in production, killed one after the other in the middle of their work."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import psycopg
import pytest
import requests
from flask import Flask
from sqlalchemy import update

from marketplace.cli.audit import findings
from marketplace.core.database.db import db, execute, in_transaction
from marketplace.core.queues.work_queue import QUEUES
from tests.conftest import SETTINGS, make_app
from tests.factories.people import PASSWORD
from tests.factories.pictures import picture
from tests.servers.mail import MailServer
from tests.servers.production import Processes
from tests.servers.redis import URL, redis_server
from tests.servers.waiting import PATIENCE, free_port, until

TASK = {"title": "Carry a sofa", "description": "No lift.", "category": "moving", "budget": 40, "location": "Rīga"}
TASK |= {"latitude": 56.9, "longitude": 24.1}


class Shop(Processes):
    """The processes of a small production."""

    def __init__(self, url: str, mail: MailServer, folder: Path) -> None:
        self.redis_port, self.port = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        settings = {**SETTINGS, **mail.settings, "DATABASE_URL": url, "UPLOADS_DIR": str(folder / "files")}
        settings |= {"JOBS": "celery", "REDIS_URL": URL.format(port=self.redis_port), "LOG_LEVEL": "WARNING"}
        super().__init__({**settings, "THREADS": "4"}, folder)
        python = sys.executable
        bind, beat = f"127.0.0.1:{self.port}", str(folder / "beat")
        self.commands = {
            "redis": [str(redis_server()), *f"--port {self.redis_port} --bind 127.0.0.1".split(), "--save", ""],
            "web": [python, *f"-m gunicorn --threads 4 --worker-class gthread --bind {bind} wsgi:app".split()],
            "worker": [python, *"-m celery -A marketplace.worker worker -B -c 1 -l warning -s".split(), beat],
        }

    def ask(self, method: str, path: str, token: str = "", **how: Any) -> Any:
        """Over real HTTP."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.address + path, headers=headers, timeout=PATIENCE, **how)

    def person(self, name: str) -> str:
        """A new account's token."""
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        return str(self.ask("POST", "/api/auth/register", json=body).json()["token"])


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A real SMTP server."""
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
def shop(tmp_path: Path, mail: MailServer, worker_id: str) -> Iterator[Shop]:
    """On a Postgres database of its own."""
    name, server = f"killed_{os.getpid()}_{worker_id}", os.environ["TEST_DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = f"{server.rpartition('/')[0]}/{name}"
    with make_app(url).app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()
    made = Shop(url, mail, tmp_path)
    for process in ("redis", "web", "worker"):
        made.start(process)
    until("the web process", lambda: made.ask("GET", "/health").status_code == 200)
    yield made
    made.stop()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def letters(mail: MailServer, subject: str) -> int:
    """How many letters with this in their subject a mailbox shows."""
    return sum(subject in str(one["Subject"]) for one in mail.mailbox.letters.values())


def lapse(app: Flask) -> None:
    """As if all leases were over."""
    with app.app_context():
        for queue in QUEUES.values():
            late = update(queue.table).where(queue.table.c.done_at.is_(None), queue.table.c.dead_at.is_(None))
            in_transaction(lambda late=late, queue=queue: execute(late.values(due_at=queue.table.c.created_at)))  # type: ignore[misc]
        db.session.remove()


def test_web_worker_and_redis_may_die_in_the_middle(shop: Shop, mail: MailServer) -> None:
    app = make_app(shop.settings["DATABASE_URL"])
    anna, juris = shop.person("anna"), shop.person("juris")
    until("the wake-up reaches the worker", lambda: letters(mail, "Welcome") == 2)

    # Redis dies: people go on, and what they did is told when it is back.
    shop.kill("redis")
    task = shop.ask("POST", "/api/tasks", anna, json=TASK).json()["id"]
    assert shop.ask("POST", f"/api/tasks/{task}/apply", juris, json={"message": "I can."}).status_code == 201
    stored = shop.ask("POST", "/api/uploads", anna, files={"file": ("a.png", picture("PNG", (900, 600)))})
    assert stored.status_code == 201
    shop.start("redis")
    until("the sweep after a lost Redis", lambda: letters(mail, "New application") == 1)

    # The worker dies with a letter in its hand.
    mail.mailbox.mood = "hang"
    second = shop.person("second")
    shop.ask("POST", f"/api/tasks/{task}/apply", second, json={"message": "Me too."})
    until("the worker to be writing", lambda: mail.mailbox.waiting > 0)
    shop.kill("worker")
    mail.mailbox.mood = "well"
    lapse(app)
    shop.start("worker")
    until("the letter after the worker's death", lambda: letters(mail, "New application") == 2)
    until("the second welcome", lambda: letters(mail, "Welcome") == 3)

    # The web process dies and comes back.
    shop.kill("web")
    shop.start("web")
    small = stored.json()["thumbnails"]["small"]
    until("the thumbnail", lambda: shop.ask("GET", small).headers["Content-Type"] == "image/webp")
    seen = shop.ask("GET", "/api/notifications", anna).json()["notifications"]
    assert sorted(one["type"] for one in seen) == ["new_application", "new_application", "welcome"]

    with app.app_context():
        until("everything to be done", lambda: QUEUES["deliveries"].count("waiting") == 0)
        assert [line for line in findings() if "storage" not in line] == []
        assert {name: queue.count("dead") for name, queue in QUEUES.items()} == dict.fromkeys(QUEUES, 0)
        db.session.remove()
        db.engine.dispose()
    assert (letters(mail, "Welcome"), letters(mail, "New application")) == (3, 2)
