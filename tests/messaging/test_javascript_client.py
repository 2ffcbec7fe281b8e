"""The official client of Socket.IO in node, against `flask serve`: transports, kills, catching up."""

import itertools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import requests

from tests.conftest import SETTINGS, disconnect, make_app
from tests.contract.client import has
from tests.contract.newer_tables import CONNECTED, HEARTBEAT_ACK, PRESENCE
from tests.factories.people import sign_up
from tests.servers.node import NODE, install
from tests.servers.production import Processes
from tests.servers.waiting import PATIENCE, free_port, until

TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}
names = map("person_{}".format, itertools.count())


class Clients:
    """A node process with the clients; what they hear comes line by line."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[dict[str, Any]] = []
        command = [str(shutil.which("node")), "client.mjs"]
        self.process = subprocess.Popen(
            command, cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._asked = 0

    def open(self, who: str, token: str, transports: list[str]) -> dict[str, Any]:
        """Connect somebody; what the server says first."""
        self._tell(do="open", who=who, address=self.address, token=token, transports=transports)
        return self.wait(who, "connected")

    def ask(self, who: str, event: str, **data: Any) -> Any:
        """Emit and wait for the acknowledgement."""
        asked = self.say(who, event, **data)
        return until(event, lambda: [one for one in self.heard if one.get("answer") == asked])[0]["data"]

    def say(self, who: str, event: str, **data: Any) -> int:
        """Emit, and do not wait."""
        self._asked += 1
        self._tell(do="emit", who=who, id=self._asked, event=event, data=data)
        return self._asked

    def wait(self, who: str, event: str, since: int = 0) -> Any:
        """The data of the latest such event that came after so many lines."""
        return until(f"{event} at {who}", lambda: self.all(who, event, since))[-1]

    def all(self, who: str, event: str, since: int = 0) -> list[Any]:
        """The data of all such events, or something true."""
        return [one["data"] or True for one in self.heard[since:] if (one.get("who"), one.get("event")) == (who, event)]

    def stop(self) -> None:
        """End."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def _tell(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(json.loads(line))


class Embedded(Processes):
    """`flask serve` on SQLite."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        given = {"DATABASE_URL": f"sqlite:///{folder}/x.db", "UPLOADS_DIR": str(folder / "files"), "THREADS": "8"}
        super().__init__({**SETTINGS, **given, "SOCKETS": "threading", "REDIS_URL": ""}, folder)
        self.commands["web"] = [sys.executable, "-m", "flask", "serve", "--port", str(port)]

    def begin(self) -> None:
        """Start it and wait for its first answer."""
        self.start("web")
        until("the server", lambda: requests.get(f"{self.address}/health", timeout=5).ok)


@dataclass
class Talk:
    """Two people with a conversation, and the clients they use."""

    server: Embedded
    clients: Clients
    tokens: dict[str, str]
    conversation_id: int

    def post(self, who: str, content: str) -> None:
        """Write over REST."""
        path = f"{self.server.address}/api/messages/conversations/{self.conversation_id}/messages"
        token = {"Authorization": f"Bearer {self.tokens[who]}"}
        assert requests.post(path, json={"content": content}, headers=token, timeout=PATIENCE).status_code == 201

    def ask(self, who: str, event: str, **data: Any) -> Any:
        """An event about the conversation, and its acknowledgement."""
        return self.clients.ask(who, event, conversation_id=self.conversation_id, **data)


@pytest.fixture(scope="session")
def packages() -> None:
    """npm's packages, exactly as locked."""
    install("socket.io-client", "THE JAVASCRIPT CLIENT IS NOT TESTED")


@pytest.fixture(scope="module")
def server(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Started once; the database has people, so no demo town is built."""
    made = Embedded(tmp_path_factory.mktemp("embedded"))
    app = make_app(made.settings["DATABASE_URL"])
    with app.app_context():
        flask_migrate.upgrade()
    sign_up(app, "somebody")
    disconnect()
    made.begin()
    yield made
    made.stop()


@pytest.fixture
def talk(server: Embedded) -> Iterator[Talk]:
    """Two who are new."""
    if not server.running:
        server.begin()
    app = make_app(server.settings["DATABASE_URL"])
    anna, juris = (sign_up(app, next(names)) for _ in range(2))
    opened = anna.post("/api/messages/conversations", {"user_id": juris.id}).json
    disconnect()
    clients = Clients(server.address)
    yield Talk(server, clients, {"anna": anna.token, "juris": juris.token}, opened["id"])
    clients.stop()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_official_client_talks_and_comes_back(talk: Talk, transport: str) -> None:
    here = talk.clients
    for who in ("anna", "juris"):
        here.open(who, talk.tokens[who], TRANSPORTS[transport])
        assert talk.ask(who, "join_conversation") == {"conversation_id": talk.conversation_id}
    assert here.wait("anna", "transport") == {"name": TRANSPORTS[transport][-1]}
    if transport == "upgrade":
        assert here.all("anna", "transport")[0] == {"name": "polling"}

    assert talk.ask("anna", "typing", is_typing=True) == {"passed_on": True}
    assert here.wait("juris", "user_typing")["is_typing"] is True
    stored = talk.ask("anna", "send_message", content="Labdien! \U0001f44b", client_message_id="a1")["message"]
    assert here.wait("juris", "new_message") == {"conversation_id": talk.conversation_id, "message": stored}
    assert talk.ask("juris", "mark_read", seq=stored["seq"]) == {"messages_marked_read": 1}
    assert here.wait("anna", "message_read")["seq"] == stored["seq"]
    assert talk.ask("anna", "send_message", content=7)["code"] == "invalid"
    assert here.wait("anna", "error")["code"] == "invalid"

    # The process is killed; somebody writes as soon as it is back, before Juris is.
    said = len(here.heard)
    talk.server.kill("web")
    here.wait("juris", "disconnect")
    talk.server.begin()
    for who in ("anna", "juris"):
        here.wait(who, "connected", since=said)
    talk.post("anna", "Are you there?")
    missed = talk.ask("juris", "sync", cursors={str(talk.conversation_id): stored["rev"]})
    assert [one["content"] for one in missed["conversations"][0]["messages"]] == ["Are you there?"]
    again = talk.ask("anna", "send_message", content="Labdien! \U0001f44b", client_message_id="a1")
    assert (again["message"]["id"], again["existing"]) == (stored["id"], True)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_messages_of_one_client_are_stored_in_the_order_it_sent_them(talk: Talk, transport: str) -> None:
    talk.clients.open("anna", talk.tokens["anna"], TRANSPORTS[transport])
    words = [f"number {n}" for n in range(8)]
    for content in words:
        talk.clients.say("anna", "send_message", conversation_id=talk.conversation_id, content=content)
    until("all of them", lambda: len([one for one in talk.clients.heard if "answer" in one]) == len(words))
    found = talk.ask("anna", "sync", cursors={})["conversations"][0]["messages"]
    assert [one["content"] for one in found] == words


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_newer_client_which_sends_bearer_in_its_token_is_live(talk: Talk, transport: str) -> None:
    here = talk.clients
    assert has(here.open("anna", f"Bearer {talk.tokens['anna']}", TRANSPORTS[transport]), CONNECTED)
    here.open("juris", f"Bearer {talk.tokens['juris']}", TRANSPORTS[transport])
    for event in ("user_presence", "user_status_changed"):
        status = here.wait("anna", event)
        assert has(status, PRESENCE)
        assert (status["is_online"], status["online_status"], status["last_seen_display"]) == (True, "online", "online")
    people = here.ask("anna", "get_presence", user_ids=[status["user_id"]])["users"]
    assert (len(people), has(people[0], PRESENCE)) == (1, True)
    assert here.wait("anna", "presence_data")["users"] == people
    assert has(here.ask("anna", "heartbeat", token=f"Bearer {talk.tokens['anna']}"), HEARTBEAT_ACK)
    assert has(here.wait("anna", "heartbeat_ack"), HEARTBEAT_ACK)
    talk.ask("juris", "send_message", content="Sveiki!")
    assert here.wait("anna", "new_message")["message"]["content"] == "Sveiki!"


def test_a_bad_token_is_told_to_the_official_client(talk: Talk) -> None:
    talk.clients._tell(do="open", who="x", address=talk.server.address, token="no", transports=["websocket"])
    refusal = talk.clients.wait("x", "connect_error")
    assert refusal["data"]["code"] == "not_signed_in"
    assert "sign in" in refusal["message"]
