"""Production in small: nginx, one process for requests, two with sockets; what is said in one is heard in the other."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import flask_migrate
import psycopg
import pytest
import requests
import socketio
from flask import Flask

from tests.conftest import SETTINGS, disconnect, make_app
from tests.factories.people import Person, sign_up
from tests.servers.nginx import nginx
from tests.servers.production import Production
from tests.servers.waiting import PATIENCE, until

TRANSPORTS = ("websocket", "polling")
GUNICORNS_OWN = 30  # seconds it waits for open connections where nobody told it otherwise
names = map("person_{}".format, itertools.count())


class Ear:
    """A socket of somebody, and what it heard."""

    def __init__(self, shop: Production, person: Person, transport: str = "websocket") -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.2, handle_sigint=False)
        self.client.on("*", lambda event, data=None: self.heard.append((event, data)))
        self.client.connect(shop.address, auth={"token": person.token}, transports=[transport], wait_timeout=PATIENCE)
        self.wait("connected")

    @property
    def process(self) -> str:
        """Which process it is connected to."""
        return f"sockets_{str(self.client.eio.sid).partition('.')[0]}"

    def ask(self, event: str, **data: Any) -> Any:
        """Emit and wait for the acknowledgement."""
        return self.client.call(event, data, timeout=PATIENCE)

    def wait(self, event: str, since: int = 0, **wanted: Any) -> Any:
        """The first such event that says this."""
        return until(f"{event} {wanted}", lambda: self._all(event, wanted, since))[0]

    def said(self) -> list[str]:
        """The words it heard."""
        return [data["message"]["content"] for event, data in list(self.heard) if event == "new_message"]

    def _all(self, event: str, wanted: dict[str, Any], since: int) -> list[Any]:
        found = [data for name, data in self.heard[since:] if name == event]
        return [data for data in found if wanted.items() <= (data or {}).items()]


def opposite(shop: Production, person: Person, other: Ear, transport: str) -> Ear:
    """A socket in the other process: nginx sends whoever comes new where fewer are."""
    for _ in range(10):
        ear = Ear(shop, person, transport)
        if ear.process != other.process:
            return ear
        ear.client.disconnect()
    raise AssertionError("all went to the same process")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Production]:
    """On a Postgres database of its own, started once."""
    if nginx() is None:
        pytest.skip("TWO PROCESSES ARE NOT TESTED: nginx is not installed")
    name, server = f"two_{os.getpid()}_{worker_id}", os.environ["TEST_DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url, folder = f"{server.rpartition('/')[0]}/{name}", tmp_path_factory.mktemp("two")
    files = {"UPLOADS_DIR": str(folder / "files"), "THREADS": "6", "LOG_LEVEL": "WARNING"}
    with make_app(url).app_context():
        flask_migrate.upgrade()
    made = Production({**SETTINGS, **files, "DATABASE_URL": url}, folder)
    try:
        made.begin()
        yield made
    finally:
        made.stop()
        disconnect()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def shop(production: Production) -> Iterator[Production]:
    """All of it running, and both processes with sockets asked by nginx."""
    for name in production.ports:
        production.await_(name)
    person = sign_up(make_app(production.settings["DATABASE_URL"]), next(names))
    for name in ("sockets_1", "sockets_2"):
        until(f"nginx to ask {name}", lambda name=name: _lands_on(production, person, name))  # type: ignore[misc]
    yield production
    for name in set(production.commands) - set(production.running):
        production.start(name)
    disconnect()


@pytest.fixture
def pair(shop: Production) -> tuple[Person, Person, int]:
    """Two people and their conversation."""
    app: Flask = make_app(shop.settings["DATABASE_URL"])
    anna, juris = sign_up(app, next(names)), sign_up(app, next(names))
    return anna, juris, int(anna.post("/api/messages/conversations", {"user_id": juris.id}).json["id"])


def post(shop: Production, person: Person, conversation_id: int, content: str) -> None:
    """Write over REST, which is another process."""
    path = f"/api/messages/conversations/{conversation_id}/messages"
    assert shop.ask("POST", path, person.token, json={"content": content}).status_code == 201


def test_what_is_said_in_one_process_is_heard_in_the_other(shop: Production, pair: tuple[Person, Person, int]) -> None:
    anna, juris, conversation_id = pair
    here = Ear(shop, anna)
    assert here.ask("get_user_status", user_id=juris.id)["status"] == "offline"
    for transport in TRANSPORTS:
        since = len(here.heard)
        there = opposite(shop, juris, here, transport)
        here.wait("user_status_changed", since, user_id=juris.id, status="online")
        answer = here.ask("get_user_status", user_id=juris.id)
        assert answer.get("status") == "online", answer
        for ear in (here, there):
            ear.ask("join_conversation", conversation_id=conversation_id)
        sign = {"conversation_id": conversation_id, "is_typing": True}
        until("the pause between two signs", lambda sign=sign: here.ask("typing", **sign)["passed_on"])  # type: ignore[misc]
        there.wait("user_typing", user_id=anna.id, is_typing=True)
        stored = here.ask("send_message", conversation_id=conversation_id, content=f"By socket to {transport}")
        assert there.wait("new_message")["message"] == stored["message"]
        post(shop, anna, conversation_id, f"By request to {transport}")
        both = [f"By socket to {transport}", f"By request to {transport}"]
        until("both", lambda there=there, both=both: there.said() == both)  # type: ignore[misc]
        there.ask("mark_read", conversation_id=conversation_id, seq=stored["message"]["seq"])
        here.wait("message_read", since, user_id=juris.id, seq=stored["message"]["seq"])
        here.ask("typing", conversation_id=conversation_id, is_typing=False)
        there.client.disconnect()
        here.wait("user_status_changed", since, user_id=juris.id, status="offline")
    here.client.disconnect()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_killed_process_costs_its_clients_no_message(
    shop: Production, pair: tuple[Person, Person, int], transport: str
) -> None:
    anna, juris, conversation_id = pair
    stays = Ear(shop, anna, transport)
    moves = opposite(shop, juris, stays, transport)
    first = stays.ask("send_message", conversation_id=conversation_id, content="0")["message"]
    moves.wait("new_message")
    written, is_over = ["0"], threading.Event()

    def write_on() -> None:
        while not is_over.wait(0.05):
            post(shop, anna, conversation_id, str(len(written)))
            written.append(str(len(written)))

    writer = threading.Thread(target=write_on)
    writer.start()
    since, killed = len(moves.heard), time.monotonic()
    shop.kill(moves.process)
    moves.wait("connected", since)
    print(f"{transport}: connected again {time.monotonic() - killed:.2f} s after its process was killed")
    assert moves.process == stays.process
    until("more words", lambda: len(written) > 20)
    is_over.set()
    writer.join()

    missed = moves.ask("sync", cursors={str(conversation_id): first["rev"]})["conversations"][0]["messages"]
    assert ["0", *(one["content"] for one in missed)] == written
    until("all heard by who stayed", lambda: stays.said() == written)
    for ear in (stays, moves):
        ear.client.disconnect()


def test_a_process_that_is_told_to_stop_does_not_wait_for_its_sockets_and_is_found_again(
    shop: Production, pair: tuple[Person, Person, int]
) -> None:
    anna, juris, conversation_id = pair
    ears = [Ear(shop, anna)]
    ears.append(opposite(shop, juris, ears[0], "polling"))
    name, since, asked = ears[0].process, len(ears[0].heard), time.monotonic()
    shop.kill(name, signal.SIGTERM)
    assert time.monotonic() - asked < GUNICORNS_OWN
    ears[0].wait("connected", since)
    shop.start(name)
    shop.await_(name)
    until("nginx to ask it again", lambda: _lands_on(shop, juris, name))
    stored = ears[0].ask("send_message", conversation_id=conversation_id, content="All here")
    assert ears[1].wait("new_message")["message"] == stored["message"]
    for ear in ears:
        ear.client.disconnect()


def test_a_session_that_nobody_knows_is_refused_wherever_it_points(shop: Production) -> None:
    for sid in ("1.gone", "2.gone", "3.gone", "gone"):
        answer = requests.get(f"{shop.address}/socket.io/?EIO=4&transport=polling&sid={sid}", timeout=PATIENCE)
        assert answer.status_code == 400


def _lands_on(shop: Production, person: Person, name: str) -> bool:
    ear = Ear(shop, person)
    process = ear.process
    ear.client.disconnect()
    return process == name
