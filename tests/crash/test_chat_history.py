"""Many talk while the processes under them are killed: nothing acknowledged is lost, nothing twice, in order."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from marketplace.auth.models import User
from marketplace.cli.audit import findings
from marketplace.core.database.db import db, in_transaction
from marketplace.messaging import service
from tests.conftest import DATABASES
from tests.crash import talk
from tests.crash.processes import Chat, fresh_database
from tests.servers.waiting import until

SOCKETS = int(os.environ.get("CHAT_SOCKETS", "20"))
A_SECOND = float(os.environ.get("CHAT_RATE", "25"))
ROUNDS = int(os.environ.get("CHAT_ROUNDS", "1"))  # of all the kills below
BETWEEN = 15  # messages acknowledged between two kills
MISSED, TALKS = 500, 5
MOST_QUESTIONS = 2 * TALKS  # syncs that bring them; a round trip each


@pytest.fixture(scope="module", params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(kind: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[Chat, Flask]]:
    """The processes on a database of their own, and an application to look into it."""
    folder = tmp_path_factory.mktemp("chat")
    with fresh_database(kind, folder, f"chat_{os.getpid()}_{worker_id}") as (url, app):
        chat = Chat(url, folder, background=True)
        try:
            chat.start_all()
            yield chat, app
        finally:
            chat.stop()


def deaths(chat: Chat, kind: str) -> list[Callable[[], object]]:
    """What dies, one after the other; whatever was killed is started again at once."""

    def again(*names: str) -> Callable[[], None]:
        def die() -> None:
            for name in names:
                chat.kill(name)
            for name in names:
                chat.start(name)

        return die

    if kind == "sqlite":
        return [again("rest")] * 3
    return [again("sockets"), chat.cut_database, again("redis"), again("rest"), again("redis", "sockets")]


def seq_of(message: dict[str, Any]) -> int:
    """Its number."""
    return int(message["seq"])


def test_nothing_acknowledged_is_lost_nothing_twice_in_order(served: tuple[Chat, Flask], kind: str) -> None:
    chat, app = served
    talkers = talk.people(chat, SOCKETS // 2, "talker")
    for one, other in zip(talkers, [*talkers[1:], talkers[0]], strict=True):
        talk.acquaint(one, other, f"hello {one.id}")
    talk.gather(talkers[1], talkers[0], talkers[2])
    phones = [one.client() for one in talkers]
    by = [("polling",) if index % 5 == 0 else ("websocket",) for index in range(len(talkers))]
    laptops = [one.client(transports=transports) for one, transports in zip(talkers, by, strict=True)]
    letters = [talk.Letters(one) for one in talkers[::3]]
    clients, writers = [*phones, *laptops], [*phones, *letters]
    speakers = talk.Speakers([*zip(talkers, phones, strict=True), *zip(talkers[::3], letters, strict=True)], A_SECOND)
    speakers.said.update(f"hello {one.id}" for one in talkers)

    def acknowledged() -> int:
        return sum(len(one.acknowledged) for one in writers)

    back = []
    for die in deaths(chat, kind) * ROUNDS:
        enough = acknowledged() + BETWEEN
        until("people talk", lambda enough=enough: acknowledged() >= enough)  # type: ignore[misc]
        killed = time.monotonic()
        die()
        before = acknowledged()
        until("they talk again", lambda before=before: acknowledged() > before + len(writers))  # type: ignore[misc]
        back.append(round(time.monotonic() - killed, 2))
    speakers.stop()
    until("everything is acknowledged", lambda: not any(one.unsent for one in writers))

    messages, rooms = talk.stored(app)
    owners = dict(zip(clients, [*talkers, *talkers], strict=True))
    calm = time.monotonic()
    until("all have everything", lambda: not any(talk.differences(c, rooms[o.id], messages) for c, o in owners.items()))
    print(
        f"{kind}: {len(clients)} sockets, {sum(map(len, messages.values()))} messages, {len(back)} deaths, "
        f"talking again after {back} s, {sum(one.repeats for one in phones)} repeats, "
        f"{sum(one.connections for one in clients)} connections, settled {time.monotonic() - calm:.2f} s after the last"
    )
    for one in writers:
        one.close()
    for client in laptops:
        client.close()
    assert talk.losses(writers, speakers.said, messages) == []
    assert [one.refused for one in phones if one.refused] == []
    assert talk.stored(app)[0] == messages
    with app.app_context():
        assert [line for line in findings() if "storage" not in line] == []
        db.session.remove()


def test_five_hundred_missed_messages_are_there_again_after_a_few_questions(served: tuple[Chat, Flask]) -> None:
    chat, app = served
    anna, *others = talk.people(chat, 1 + TALKS, "away")
    talks = [talk.acquaint(anna, one) for one in others]
    client = anna.client()
    client.leave()

    def write() -> None:
        for number in range(MISSED):
            writer = db.session.get(User, others[number % TALKS].id)
            assert writer is not None
            service.send(writer, talks[number % TALKS], content=f"missed {number}")

    with app.app_context():
        in_transaction(write)
        db.session.remove()
    begun, before = time.monotonic(), client.syncs
    client.come_back()
    assert client.wait(lambda: client.has(MISSED))
    print(f"{MISSED} missed messages: {time.monotonic() - begun:.2f} s, {client.syncs - before} questions")
    assert client.syncs - before <= MOST_QUESTIONS
    messages, rooms = talk.stored(app)
    assert talk.differences(client, rooms[anna.id], messages) == []
    client.close()


def test_a_client_that_does_not_catch_up_misses_some_and_the_checker_says_so(served: tuple[Chat, Flask]) -> None:
    chat, app = served
    anna, juris = talk.people(chat, 2, "deaf")
    room = talk.acquaint(anna, juris)
    careful, deaf, writer = juris.client(), juris.client(catches_up=False), anna.client()
    writer.say(room, "first")
    assert all(one.wait(lambda one=one: one.has(1)) for one in (careful, deaf))  # type: ignore[misc]

    for one in (careful, deaf):
        one.leave()
    writer.say(room, "second")
    assert writer.wait(lambda: writer.unsent == 0)
    for one in (careful, deaf):
        one.come_back()
    writer.say(room, "third")
    assert all(one.wait(lambda one=one: 3 in map(seq_of, one.messages[room].values())) for one in (careful, deaf))  # type: ignore[misc]

    messages, _ = talk.stored(app)
    until("the careful one has everything", lambda: not talk.differences(careful, [room], messages))
    assert talk.differences(deaf, [room], messages) == [f"conversation {room}: 1 of 3 missing: [2]"]
    for one in (careful, deaf, writer):
        one.close()
