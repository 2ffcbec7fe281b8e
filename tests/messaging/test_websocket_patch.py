"""WebSockets on a real gunicorn: silence, slow readers, long frames, and frames that must not be torn."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
import requests
import websocket

import config
from marketplace.core.realtime import connections
from marketplace.core.realtime.websocket_patch import Wire
from tests.conftest import SETTINGS, disconnect, make_app
from tests.factories.people import sign_up
from tests.servers.production import Processes
from tests.servers.waiting import PATIENCE, free_port, until

LONG = 3_000_000


class Web(Processes):
    """One process on SQLite whose patience with bodies is short."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        given = {"DATABASE_URL": f"sqlite:///{folder}/x.db", "UPLOADS_DIR": str(folder / "files"), "THREADS": "4"}
        super().__init__({**SETTINGS, **given, "SOCKETS": "threading", "REDIS_URL": ""}, folder)
        settings = (config.ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
        assert "SLOWEST_BODY = 20.0" in settings
        (folder / "conf.py").write_text(settings.replace("SLOWEST_BODY = 20.0", "SLOWEST_BODY = 0.3"))
        command = f"-m gunicorn -c {folder}/conf.py -k gthread --threads 8 -b 127.0.0.1:{self.port} wsgi:app"
        self.commands["web"] = [sys.executable, *command.split()]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, str]]:
    """It, started once, and somebody's token."""
    made = Web(tmp_path_factory.mktemp("wire"))
    app = make_app(made.settings["DATABASE_URL"])
    with app.app_context():
        flask_migrate.upgrade()
    token = sign_up(app, "anna").token
    disconnect()
    made.start("web")
    until("the server", lambda: requests.get(f"http://127.0.0.1:{made.port}/health", timeout=5).ok)
    yield made, token
    made.kill("web")
    made.stop()


def connect(port: int, token: str) -> websocket.WebSocket:
    """A WebSocket that has said who it is."""
    asks = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    place = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    opened = websocket.create_connection(place, header=asks, timeout=PATIENCE)
    opened.recv()
    opened.send("40" + json.dumps({"token": token}))
    while not str(opened.recv()).startswith("40"):
        pass
    return opened


def test_a_silent_socket_stays_and_a_stalled_body_does_not(web: tuple[Web, str]) -> None:
    server, token = web
    opened = connect(server.port, token)
    assert "sec-websocket-extensions" not in {name.lower() for name in opened.headers}
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        stalled.settimeout(PATIENCE)
        while stalled.recv(4096):
            pass
    time.sleep(0.6)
    opened.send('420["heartbeat"]')
    while not str(found := opened.recv()).startswith("430"):
        assert found


def test_a_frame_that_is_too_long_ends_the_connection_before_it_is_all_read(web: tuple[Web, str]) -> None:
    server, token = web
    opened = connect(server.port, token)
    begin = websocket.ABNF.create_frame("42" + "x" * 40_000, websocket.ABNF.OPCODE_TEXT, 0)
    more = websocket.ABNF.create_frame("x" * 40_000, websocket.ABNF.OPCODE_CONT, 0)
    opened.send_frame(begin)
    opened.settimeout(0.5)
    with pytest.raises(websocket.WebSocketTimeoutException):
        list(iter(opened.recv_frame, None))
    opened.settimeout(PATIENCE)
    opened.send_frame(more)
    assert b'"too_large"' in opened.recv_frame().data
    ended = opened.recv_frame()
    assert (ended.opcode, int.from_bytes(ended.data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 1009)


def test_frames_of_two_writers_arrive_whole_at_a_slow_reader() -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours, 10)
    frames = [bytes([letter]) * LONG for letter in b"ab"]
    writers = [threading.Thread(target=wire.send, args=(frame,)) for frame in frames]
    for writer in writers:
        writer.start()
    read = b""
    while len(read) < 2 * LONG:
        read += theirs.recv(100_000)
    assert read in {frames[0] + frames[1], frames[1] + frames[0]}


def test_who_does_not_read_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    with pytest.raises(OSError, match="timed out"):
        Wire(ours, 0.1).send(b"x" * LONG)
    while theirs.recv(1_000_000):
        pass


def test_patience_is_longer_than_any_living_client_is_silent() -> None:
    assert connections.PING_EVERY + connections.PING_TIMEOUT < connections.SILENCE < 75  # nginx waits for 75 s
