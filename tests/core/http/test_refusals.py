"""A refusal of a large body can be read: by a client that sends it whole, whatever it is refused for."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import flask_migrate
import pytest
import requests

import config
from marketplace.core.http import body_drain
from tests.conftest import SETTINGS, disconnect, make_app
from tests.factories.people import sign_up
from tests.servers.production import Processes
from tests.servers.waiting import PATIENCE, free_port, until

SHARE = ("-m", "gunicorn", "--log-level", "warning")
EXPECTED = {
    "file": "413 too_large",
    "chunked": "413 too_large",
    "long": "413 too_large",
    "stranger": "401 not_signed_in",
    "nowhere": "404 not_found",
    "method": "405 method_not_allowed",
    "packets": "413 too_large",
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """The addresses of one process in threads and one under gevent, as they are run in production; a token."""
    folder = tmp_path_factory.mktemp("refusals")
    ports = {"threads": free_port(), "gevent": free_port()}
    given = {"DATABASE_URL": f"sqlite:///{folder}/x.db", "UPLOADS_DIR": str(folder / "files"), "RATE_LIMITS": "0"}
    made = Processes({**SETTINGS, **given, "SOCKETS": "threading", "REDIS_URL": "redis://127.0.0.1:1/0"}, folder)
    web = [sys.executable, *SHARE, "-b", f"127.0.0.1:{ports['threads']}", *"-k gthread --threads 4 wsgi:app".split()]
    sockets = ["-b", f"127.0.0.1:{ports['gevent']}", "-c", "deploy/sockets.gunicorn.py", "wsgi:app"]
    made.commands = {"threads": web, "gevent": [sys.executable, *SHARE, *sockets]}
    app = make_app(made.settings["DATABASE_URL"])
    with app.app_context():
        flask_migrate.upgrade()
    token = sign_up(app, "anna").token
    disconnect()
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    for name, address in addresses.items():
        made.start(name)
        until(name, lambda address=address: requests.get(f"{address}/health", timeout=5).ok)  # type: ignore[misc]
    yield addresses, token
    made.stop()


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_fetch_reads_every_refusal_of_six_megabytes(servers: tuple[dict[str, str], str], kind: str) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("THE REFUSALS ARE NOT TESTED BY FETCH: node is not installed")
    addresses, token = servers
    command = [node, str(config.ROOT / "tests/node/refusals.mjs"), addresses[kind], token, "10"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout)
    assert {name: {**found, "connections": None} for name, found in told.items()} == {
        name: {refusal: 10, "connections": None} for name, refusal in EXPECTED.items()
    }
    assert {name: found["connections"] for name, found in told.items()} == {key: ["close"] for key in EXPECTED}


def test_a_refusal_names_the_limit(servers: tuple[dict[str, str], str]) -> None:
    addresses, token = servers
    signed = {"Authorization": f"Bearer {token}"}
    file = requests.post(f"{addresses['threads']}/api/uploads", files={"file": b"x" * 6_000_000}, headers=signed)
    assert "5 MB at most" in file.json()["detail"]
    body = requests.post(f"{addresses['threads']}/api/listings", data=b"x" * 2_000_000, headers=signed)
    assert "1 MB at most" in body.json()["detail"]


ODD = {
    "a line that is too long": (b"GET /api?q=" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
    "a header that is too long": (
        b"GET /api HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000 + b"\r\n\r\n",
        431,
        "headers_too_large",
    ),
    "too many headers": (b"GET /api HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 300 + b"\r\n", 431, "headers_too_large"),
    "a header without a name": (b"GET /api HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400, "malformed"),
    "no line": (b"hello\r\n\r\n", 400, "malformed"),
    "no such version": (b"GET /api HTTP/9.9\r\nHost: x\r\n\r\n", 400, "malformed"),
    "a wrong expectation": (b"GET /api HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n", 417, "expectation_failed"),
    "a wrong length": (b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "malformed"),
    "two lengths": (
        b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        400,
        "malformed",
    ),
    "an unknown coding": (b"POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: magic\r\n\r\n", 501, "not_implemented"),
    "a wrong chunk": (
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        *(400, "malformed"),
    ),
    "no host": (b"GET /api/listings HTTP/1.1\r\n\r\n", 400, "malformed"),
    "no host for a socket": (b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n", 400, "malformed"),
    "two hosts": (b"GET /api/listings HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"),
    "no host at all": (b"GET /api/listings HTTP/1.1\r\nHost: a b/<c>\r\n\r\n", 400, "malformed"),
}


@pytest.mark.parametrize("kind", ["threads", "gevent"])
@pytest.mark.parametrize("name", ODD)
def test_what_the_server_cannot_read_is_answered_by_a_problem_document(
    servers: tuple[dict[str, str], str], kind: str, name: str
) -> None:
    sent, status, code = ODD[name]
    head, _, body = spoken(servers[0][kind], sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status}".encode()), head
    assert b"application/problem+json" in head
    told = json.loads(body)
    assert (told["status"], told["code"], told["detail"].endswith(".")) == (status, code, True)


def spoken(address: str, sent: bytes) -> bytes:
    """What comes back until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=PATIENCE) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65_536), b""))


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_the_longest_query_a_schema_allows_is_answered(servers: tuple[dict[str, str], str], kind: str) -> None:
    for letters in ("自" * 500, "\U0001f600" * 500):
        for path in ("/api/search", "/api/listings"):
            answer = requests.get(f"{servers[0][kind]}{path}", params={"q": letters}, timeout=PATIENCE)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_an_old_client_needs_no_host(servers: tuple[dict[str, str], str]) -> None:
    assert b" 200 OK" in spoken(servers[0]["threads"], b"GET /health HTTP/1.0\r\n\r\n")


class Stalled:
    """A body of which nothing more comes until the socket under it is closed for reading."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def read(self, _size: int = -1) -> bytes:
        """What comes."""
        return self.sock.recv(1)


def test_a_body_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_drain, "SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    theirs.sendall(b"xyz")
    started = time.monotonic()
    assert body_drain.Body(Stalled(ours), 100).drain(ours)
    assert time.monotonic() - started < 20
    theirs.close()


def test_a_body_of_which_nothing_comes_is_given_up_before_one_that_comes_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert body_drain.SECONDS * 4_000_000 / 8 > 6_000_000, "a file that is refused for its size, over a slow uplink"
    assert body_drain.SILENCE < body_drain.SECONDS
    monkeypatch.setattr(body_drain, "SILENCE", 0.1)
    monkeypatch.setattr(body_drain, "SECONDS", 60.0)
    ours, theirs = socket.socketpair()
    theirs.sendall(b"xyz")
    ours.settimeout(33)
    started = time.monotonic()
    assert body_drain.Body(Stalled(ours), 100).drain(ours)
    assert time.monotonic() - started < 30
    assert ours.gettimeout() == 33
    theirs.close()


def test_no_more_is_waited_for_than_the_body() -> None:
    ours, theirs = socket.socketpair()  # as the development server has it: a file that ends with its connection
    theirs.sendall(b"{}")
    ours.settimeout(20)
    with ours.makefile("rb") as file:
        body = body_drain.Body(file, 2)
        assert body.drain(None)
        assert body.read(0) == b""
    assert not body._is_left()
    assert body._count == 2
    theirs.close()


def test_no_more_is_drained_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_drain, "MOST_BYTES", 100_000)
    sent = BytesIO(b"x" * 1_000_000)
    assert body_drain.Body(sent, 1_000_000).drain(None)
    assert 100_000 <= sent.tell() < 200_000


@pytest.mark.parametrize(("read", "left"), [(0, True), (4, True), (10, False), (-1, False)])
def test_only_what_nobody_read_is_drained(read: int, left: bool) -> None:
    environ: dict[str, Any] = {"CONTENT_LENGTH": "10", "wsgi.input": BytesIO(b"0123456789")}
    closed: list[bool] = []

    class Response:
        def start(self, *_: Any) -> None: ...
        def force_close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        return [environ["wsgi.input"].read(read)]

    body_drain.BodyDrain(app)(environ, Response().start)
    assert bool(closed) == left
