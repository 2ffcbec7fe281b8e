"""Whoever sends a request bit by bit does not keep a thread: its head and its body have a time each."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import parser
from gunicorn.http.errors import NoMoreData

import config
from marketplace.core.http import gunicorn_timeouts

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
BOUND = 30.0  # seconds, on a slow machine; a sender of the tests drips for longer


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, socket.socket]]:
    """gunicorn's reader of requests with little patience, and the end of who sends."""
    monkeypatch.setattr(parser, "SocketUnreader", gunicorn_timeouts.TimedUnreader)
    monkeypatch.setattr(parser.RequestParser, "mesg_class", gunicorn_timeouts.TimedRequest)
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(gunicorn_timeouts, name, 0.2)
    ours, theirs = socket.socketpair()
    yield parser.RequestParser(Config(), ours, ("127.0.0.1", 1)), theirs
    ours.close()
    theirs.close()


def drip(sock: socket.socket) -> None:
    """A byte now and then, until nobody listens."""
    over = time.monotonic() + 2 * BOUND
    with suppress(OSError):
        while time.monotonic() < over:
            sock.sendall(b"a")
            threading.Event().wait(0.02)


def test_a_head_that_drips_is_cut_off(line: tuple[Any, socket.socket]) -> None:
    reader, theirs = line
    theirs.sendall(b"GET / HTTP/1.1\r\nA: ")
    started = time.monotonic()
    threading.Thread(target=drip, args=(theirs,), daemon=True).start()
    with pytest.raises(NoMoreData):
        next(reader)
    assert time.monotonic() - started < BOUND


def test_a_body_that_drips_is_cut_off_and_nothing_behind_it_is_a_request(line: tuple[Any, socket.socket]) -> None:
    reader, theirs = line
    theirs.sendall(HEAD)
    request = next(reader)
    started = time.monotonic()
    threading.Thread(target=drip, args=(theirs,), daemon=True).start()
    assert len(request.body.read(100_000)) < 100_000
    assert time.monotonic() - started < BOUND
    with pytest.raises((NoMoreData, StopIteration)):
        next(reader)


def test_a_body_that_comes_fast_enough_has_its_time(
    line: tuple[Any, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gunicorn_timeouts, "SLOWEST_RATE", 100)  # so the first piece is worth a hundred seconds
    reader, theirs = line
    theirs.sendall(HEAD)
    request = next(reader)
    theirs.sendall(b"a" * 10_000)
    assert len(request.body.read(10_000)) == 10_000
    threading.Event().wait(0.3)
    theirs.sendall(b"a" * 90_000)
    assert len(request.body.read(90_000)) == 90_000


def test_a_connection_may_be_idle_before_and_between_requests(line: tuple[Any, socket.socket]) -> None:
    reader, theirs = line
    for _ in range(2):
        threading.Timer(0.3, theirs.sendall, [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]).start()
        assert next(reader).method == "GET"


def test_a_connection_whose_own_time_ends_while_it_is_idle_is_no_error(line: tuple[Any, socket.socket]) -> None:
    reader, theirs = line
    theirs.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert next(reader).method == "GET"
    reader.unreader.sock.settimeout(0.05)
    with pytest.raises((NoMoreData, StopIteration)):
        next(reader)


@pytest.mark.parametrize("file", ["gunicorn.conf.py", "deploy/sockets.gunicorn.py"])
def test_every_process_of_production_reads_so(file: str) -> None:
    assert "gunicorn_timeouts.init()" in (config.ROOT / file).read_text(encoding="utf-8")
