"""How the application is served: connections that stay open, addresses and ports, and what is said where it cannot."""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from gunicorn.app.wsgiapp import WSGIApplication

import config
from tests.conftest import SETTINGS, make_app
from tests.factories.people import Person
from tests.servers.waiting import PATIENCE, free_port, until

NGINX_KEEPS, NODE_KEEPS = 60, 4  # seconds: `keepalive_timeout` of an upstream, and undici's own
IDLE = 12
POSTS = """
const address = process.argv[1], told = [];
const post = () => fetch(address, {method: "POST", body: "{}", headers: {"Content-Type": "application/json"}})
  .then((answer) => answer.text().then(() => answer.status), (error) => String(error.cause ?? error));
for (const pause of [0, 2000]) {
  await new Promise((done) => setTimeout(done, pause));
  told.push(...await Promise.all(Array.from({length: 10}, post)));
}
console.log(JSON.stringify(told));
"""


@pytest.fixture(scope="module")
def port(apps: dict[str, Flask]) -> Iterator[int]:
    """gunicorn with one thread, as the image starts it, on the address ::1."""
    number = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "-k", "gthread", "--threads", "1"]
    settings = {**SETTINGS, "DATABASE_URL": apps["sqlite"].config["DATABASE_URL"], "JOBS": "celery"}
    process = subprocess.Popen(
        [*command, "-b", f"[::1]:{number}", "--log-level", "critical", "wsgi:app"],
        cwd=config.ROOT,
        start_new_session=True,
        env={**os.environ, **settings, "REDIS_URL": os.environ["TEST_REDIS_URL"]},
    )
    until("gunicorn", lambda: _asked(number).getresponse().status == 200)
    yield number
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _asked(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("::1", port, timeout=PATIENCE)
    connection.request("GET", "/health")
    return connection


def test_idle_connections_stay_open_and_hold_no_thread(port: int) -> None:
    idle = [_asked(port) for _ in range(IDLE)]  # more than there are threads
    for connection in idle:
        assert connection.getresponse().read()
    began = time.monotonic()
    socks = [connection.sock for connection in idle]
    until("longer than Node keeps them", lambda: select.select(socks, [], [], 0.5)[0] or _waited(began))
    assert select.select(socks, [], [], 0)[0] == [], "the server has closed one"
    for connection in idle:
        connection.request("GET", "/health")
        assert connection.getresponse().read()


def _waited(since: float) -> bool:
    return time.monotonic() > since + NODE_KEEPS + 1


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_no_post_of_nodes_fetch_is_lost_after_a_pause(port: int) -> None:
    command = ["node", "--input-type=module", "-e", POSTS, f"http://[::1]:{port}/api/auth/login"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout)
    assert set(told) == {422}


@pytest.mark.parametrize("file", ["gunicorn.conf.py", "deploy/sockets.gunicorn.py"])
def test_connections_are_kept_longer_than_by_whoever_is_in_front(file: str) -> None:
    source = (config.ROOT / file).read_text(encoding="utf-8")
    kept = next(int(line.split("=")[1].split()[0]) for line in source.splitlines() if line.startswith("keepalive"))
    assert kept > NGINX_KEEPS > NODE_KEEPS


def test_gunicorn_reads_its_settings_wherever_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "argv", ["gunicorn", "-c", str(config.ROOT / "gunicorn.conf.py"), "wsgi:app"])
    assert WSGIApplication().cfg.keepalive > NGINX_KEEPS


@pytest.mark.parametrize(
    ("host", "bind", "address"),
    [
        ("127.0.0.1", "127.0.0.1", "localhost"),
        ("0.0.0.0", "0.0.0.0", "localhost"),
        ("::", "[::]", "localhost"),
        ("::1", "[::1]", "[::1]"),
        ("[::1]", "[::1]", "[::1]"),
        ("127.0.0.2", "127.0.0.2", "127.0.0.2"),
    ],
)
def test_every_kind_of_address_is_written_as_gunicorn_and_browsers_read_it(
    app: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch, host: str, bind: str, address: str
) -> None:
    port, started = free_port(), []
    monkeypatch.setattr(os, "execv", lambda _, command: started.append(command))
    monkeypatch.setenv("API_URL", "http://localhost")
    result = app.test_cli_runner().invoke(args=["serve", "--host", host, "--port", str(port)])
    assert f"The marketplace is at http://{address}:{port}\n" in result.output
    (command,) = started
    assert command[command.index("--bind") + 1] == f"{bind}:{port}"


@pytest.fixture
def served(apps: dict[str, Flask]) -> Flask:
    """What listens where does not depend on the database."""
    return apps["sqlite"]


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "nowhere.invalid"])
def test_an_address_of_another_machine_is_refused_in_one_sentence(served: Flask, host: str) -> None:
    own = make_app(served.config["DATABASE_URL"], HOST=host, PORT=str(free_port()))
    refused = own.test_cli_runner().invoke(args=["serve"])
    assert (refused.exit_code, refused.output) == (1, f"Error: HOST is {host}: this machine has no such address.\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]"])
def test_a_port_that_is_taken_is_said_to_be(served: Flask, host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        taken.bind((host.strip("[]"), 0))
        taken.listen()
        port = taken.getsockname()[1]
        own = make_app(served.config["DATABASE_URL"], HOST=host, PORT=str(port))
        refused = own.test_cli_runner().invoke(args=["serve"])
    assert (refused.exit_code, f"Error: Port {port} is taken." in refused.output) == (1, True)
