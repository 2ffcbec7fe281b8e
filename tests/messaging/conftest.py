"""The chat served by processes of its own on this worker's databases, and people with sockets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from tests.contract.client import Browser
from tests.crash.processes import Chat
from tests.factories import talks
from tests.messaging.client import Line

TRANSPORTS = ("websocket", "polling")
Dial = Callable[..., Line]


@pytest.fixture(scope="session")
def served(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Chat]]:
    """The processes on a database with these settings, started when they are asked for first."""
    started: dict[str, Chat] = {}

    def ask(kind: str, **settings: str) -> Chat:
        name = f"{kind} {settings}"
        if name not in started:
            chat = started[name] = Chat(urls[kind], tmp_path_factory.mktemp("served"), **settings)
            chat.start_all()
        return started[name]

    yield ask
    for chat in started.values():
        chat.stop()


@pytest.fixture
def chat(app: Flask, served: Callable[..., Chat], database: str) -> Chat:
    """The processes this test talks to."""
    assert app
    return served(database)


@dataclass
class Circle:
    """Two who talk with each other, and a third who has to do with neither."""

    anna: Browser
    juris: Browser
    stranger: Browser
    talk: int
    lines: list[Line] = field(default_factory=list)


@pytest.fixture
def circle(app: Flask, chat: Chat) -> Circle:
    """Signed up over REST."""
    anybody = Browser(app, address=chat.rest)
    anna, juris, stranger = (anybody.signed_in(name) for name in ("anna", "juris", "stranger"))
    return Circle(anna, juris, stranger, talks.pair(anna, juris, message=""))


@pytest.fixture
def dial(chat: Chat) -> Iterator[Dial]:
    """Opens sockets, and closes them after the test."""
    lines: list[Line] = []

    def call(person: Any, transport: str = "websocket", *, query: bool = False) -> Line:
        token = person.token if isinstance(person, Browser) else person
        line = Line(chat.sockets, token, transport=transport, in_query=query)
        lines.append(line)
        return line.open()

    yield call
    for line in lines:
        line.close()
