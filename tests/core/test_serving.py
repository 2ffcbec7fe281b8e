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
from marketplace.cli import serve
from tests.conftest import SETTINGS
from tests.servers.waiting import free_port, until

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
        [*command, "-b", serve._bind("::1", number), "--log-level", "critical", "wsgi:app"],
        cwd=config.ROOT,
        start_new_session=True,
        env={**os.environ, **settings, "REDIS_URL": os.environ["TEST_REDIS_URL"]},
    )
    until("gunicorn", lambda: _asked(number).getresponse().status == 200)
    yield number
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _asked(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("::1", port, timeout=30)
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
    told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
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
        ("127.0.0.1", "127.0.0.1:5000", "http://localhost:5000"),
        ("0.0.0.0", "0.0.0.0:5000", "http://localhost:5000"),
        ("::", "[::]:5000", "http://localhost:5000"),
        ("::1", "[::1]:5000", "http://localhost:5000"),
        ("fd00::7", "[fd00::7]:5000", "http://[fd00::7]:5000"),
        ("shop.local", "shop.local:5000", "http://shop.local:5000"),
    ],
)
def test_every_kind_of_address_is_written_as_gunicorn_and_browsers_read_it(host: str, bind: str, address: str) -> None:
    assert (serve._bind(host, 5000), serve._address(host, 5000)) == (bind, address)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "99999"}, "99999"),
        ({"PORT": "0"}, "0"),
        ({"PORT": "eighty"}, "eighty"),
        ({"HOST": "192.0.2.7"}, "no address of this machine"),
        ({"HOST": "2001:db8::7"}, "no address of this machine"),
        ({"HOST": "nowhere.invalid"}, "no address of this machine"),
    ],
)
def test_what_cannot_be_listened_on_is_refused_in_one_sentence(
    apps: dict[str, Flask], settings: dict[str, str], said: str
) -> None:
    refused = apps["sqlite"].test_cli_runner().invoke(args=["serve"], env={"PORT": str(free_port()), **settings})
    assert refused.exit_code != 0
    assert said in refused.output
    assert ("is taken" in refused.output, "Traceback" in refused.output) == (False, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]"])
def test_a_port_that_is_taken_is_said_to_be(apps: dict[str, Flask], host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as taken:
        taken.bind((host.strip("[]"), 0))
        taken.listen()
        given = {"HOST": host, "PORT": str(taken.getsockname()[1])}
        refused = apps["sqlite"].test_cli_runner().invoke(args=["serve"], env=given)
    assert (refused.exit_code, "is taken" in refused.output) == (1, True)
