"""`make load-chat`: W6, a thousand people who talk over one process with sockets, and how many silent ones it holds."""

import argparse
import asyncio
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url, select

import config
from benchmarks import fill
from benchmarks.__main__ import RESULTS
from marketplace.app import create_app
from marketplace.auth.models import SignIn, User
from marketplace.auth.sessions import service as sessions_service
from marketplace.core.database.db import db, in_transaction
from marketplace.kit.clock import now
from marketplace.messaging import service
from tests.servers.postgres import start_postgres
from tests.servers.redis import start_redis

GOAL_MS = 100
GUNICORN = "-m gunicorn -c deploy/sockets.gunicorn.py --log-level warning"
AT_ONCE = 8  # connections that are being made
UNANSWERED = 10.0  # seconds after which one that got no answer is made again
STRAGGLERS = 10.0  # seconds that the last messages are waited for
BATCH = 1_000
UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"  # as browsers ask
)


class Socket(asyncio.Protocol):
    """A client of Socket.IO over WebSocket, no more of it than is needed: what is measured is the server."""

    def __init__(self, port: int, token: str, hear: Any) -> None:
        self.port, self.token, self.hear = port, token, hear
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer, self.is_open, self.is_lost = b"", False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self.transport: Any = transport
        transport.write(UPGRADE.format(port=self.port).encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """The answer to the upgrade, then frames."""
        self.buffer += data
        if not self.is_open:
            head, separator, rest = self.buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            assert b"permessage-deflate" not in head
            self.is_open, self.buffer = True, rest
        while (place := self._whole()) is not None:
            start, end = place
            kind, body, self.buffer = self.buffer[0] & 15, self.buffer[start:end], self.buffer[end:]
            if kind == 8:
                self.transport.close()
                return
            self._take(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody wanted that."""
        self.is_lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"closed before it was open: {exc}"))

    def say(self, text: bytes) -> None:
        """One frame; a mask of zeros leaves the text as it is."""
        size = len(text)
        length = bytes([128 | size]) if size < 126 else bytes([254]) + size.to_bytes(2, "big")
        self.transport.write(b"\x81" + length + b"\0\0\0\0" + text)

    def _whole(self) -> tuple[int, int] | None:
        """Where the first frame's words begin and end, if it is there."""
        if len(self.buffer) < 2:
            return None
        size, start = self.buffer[1] & 127, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(self.buffer) < start:
                return None
            size = int.from_bytes(self.buffer[2:start], "big")
        return (start, start + size) if len(self.buffer) >= start + size else None

    def _take(self, text: bytes) -> None:
        if text == b"2":
            self.say(b"3")
        elif text[:1] == b"0":
            self.say(b"40" + orjson.dumps({"token": self.token}))
        elif text[:2] == b"40":
            self.ready.set_result(None)
        elif text[:2] == b"44":
            self.ready.set_exception(ConnectionError(text.decode()))
        else:
            self.hear(text, time.perf_counter())


@dataclass
class Talk:
    """What was said, when it was due, acknowledged and delivered."""

    due: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    delivered: dict[str, float] = field(default_factory=dict)
    refused: list[bytes] = field(default_factory=list)

    def hear(self, me: int) -> Any:
        """What the socket of this person does with what comes in."""

        def take(text: bytes, at: float) -> None:
            if text.startswith(b"43"):
                answer = orjson.loads(text[text.index(b"[") :])[0]
                if "error" in answer:
                    self.refused.append(text)
                else:
                    name = answer["message"]["client_message_id"]
                    self.acknowledged[name] = at - self.due[name]
            elif text.startswith(b'42["new_message"'):
                message = orjson.loads(text[2:])[1]["message"]
                if message["sender_id"] != me:
                    name = message["client_message_id"]
                    self.delivered[name] = at - self.due[name]

        return take


async def connect(ports: Sequence[int], tokens: dict[int, str], hear: Any) -> dict[int, Socket]:
    """A socket each, some at a time."""
    loop, made, room = asyncio.get_running_loop(), {}, asyncio.Semaphore(AT_ONCE)

    async def one(n: int, user_id: int, token: str) -> None:
        port = ports[n % len(ports)]
        async with room:
            while user_id not in made:
                _, protocol = await loop.create_connection(
                    partial(Socket, port, token, hear(user_id)), "127.0.0.1", port
                )
                try:
                    await asyncio.wait_for(protocol.ready, UNANSWERED)
                except TimeoutError:
                    print("  a connection got no answer")
                    protocol.transport.close()
                else:
                    made[user_id] = protocol

    await asyncio.gather(*(one(n, *who) for n, who in enumerate(tokens.items())))
    return made


def deaf(_user_id: int) -> Callable[..., None]:
    """What a socket does that nobody listens to."""

    def hear(*_: Any) -> None:
        """Nothing."""

    return hear


async def talk(sockets: dict[int, Socket], pairs: list[tuple[int, int, int]], rate: float, seconds: float) -> Talk:
    """So many messages a second, each at its moment whether or not the ones before were answered."""
    said = Talk()
    for user_id, one in sockets.items():
        one.hear = said.hear(user_id)
    started = time.perf_counter()
    for n in range(int(rate * seconds)):
        due = started + n / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        conversation_id, *both = random.choice(pairs)
        name = f"{started}-{n}"
        said.due[name] = due
        words = {"conversation_id": conversation_id, "content": f"Message number {n}.", "client_message_id": name}
        sockets[random.choice(both)].say(b"42%d" % n + orjson.dumps(["send_message", words]))
    end = time.perf_counter() + STRAGGLERS
    while len(said.delivered) < len(said.due) - len(said.refused) and time.perf_counter() < end:
        await asyncio.sleep(0.1)
    return said


def figures(said: Talk) -> dict[str, Any]:
    """Milliseconds."""
    result: dict[str, Any] = {"sent": len(said.due), "refused": len(said.refused)}
    for name in ("acknowledged", "delivered"):
        times = sorted(getattr(said, name).values())
        result[f"{name}_lost"] = len(said.due) - len(said.refused) - len(times)
        for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1)):
            result[f"{name}_{label}_ms"] = round(times[min(len(times) - 1, int(len(times) * share))] * 1000, 1)
    if said.refused:
        print("  refused:", said.refused[0][:200])
    return result


class Server:
    """Processes with sockets, as deployed."""

    def __init__(self, url: str, redis: str, count: int) -> None:
        self.ports = [_free_port() for _ in range(count)]
        given = {"DATABASE_URL": url, "REDIS_URL": redis, "JOBS": "celery", "LOG_LEVEL": "ERROR", "THREADS": "8"}
        given["JWT_SECRET_KEY"] = config.INSECURE_SECRET
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.processes = [
            subprocess.Popen(
                [sys.executable, *GUNICORN.split(), "-b", f"127.0.0.1:{port}", "wsgi:app"],
                env={**os.environ, **given, "SOCKET_INSTANCE": str(port)},
                cwd=config.ROOT,
                stdout=self.log,
                stderr=self.log,
            )
            for port in self.ports
        ]

    def pids(self) -> list[int]:
        """The workers."""
        found = (Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text() for one in self.processes)
        return [int(children.split()[0]) for children in found]

    def memory(self) -> float:
        """MB, of all workers."""
        return sum(_status(pid, "VmRSS") for pid in self.pids()) / 1024

    def cpu(self) -> float:
        """Seconds they have worked so far."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.pids())
        return sum(int(one[11]) + int(one[12]) for one in stats) / ticks

    def stop(self) -> None:
        """End them."""
        for one in self.processes:
            one.terminate()
        for one in self.processes:
            one.wait()
        self.log.seek(0)
        if said := self.log.read()[-600:].decode().strip():
            print(said)


@contextmanager
def serve(url: str, redis: str, count: int) -> Iterator[Server]:
    """Running, gone afterwards."""
    server = Server(url, redis, count)
    try:
        for port in server.ports:
            _wait(port)
        yield server
    finally:
        server.stop()


def people(url: str, count: int) -> tuple[dict[int, str], list[tuple[int, int, int]]]:
    """So many signed-in people with their tokens, and (conversation, one, the other) of neighbours among the first."""
    app = create_app(fill.settings(url))
    with app.app_context():
        tokens: dict[int, str] = {}
        for first in range(1, count + 1, BATCH):
            tokens |= in_transaction(lambda first=first: _sign_in(first, min(first + BATCH, count + 1)))  # type: ignore[misc]
        pairs = in_transaction(lambda: [_pair(one) for one in range(1, 1_000, 2)])
        db.engine.dispose()
    return tokens, pairs


def _sign_in(first: int, end: int) -> dict[int, str]:
    moment = now()
    made = [SignIn(id=f"chat{n}", user_id=n, device="", address="") for n in range(first, end)]
    for one in made:
        one.generation, one.rotated_at = 1, moment
    db.session.add_all(made)
    db.session.flush()
    return {one.user_id: str(sessions_service.tokens_of(one, "")["token"]) for one in made}


def _pair(one: int) -> tuple[int, int, int]:
    user = db.session.scalars(select(User).where(User.id == one)).one()
    return service.open_with(user, user_id=one + 1)[0].id, one, one + 1


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


async def _measure(server: Server, tokens: dict[int, str], pairs: Any, options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {}
    talking = dict(list(tokens.items())[: options.sockets])
    some = [pair for pair in pairs if pair[2] in talking]
    started, before = time.perf_counter(), server.memory()
    sockets = await connect(server.ports, talking, deaf)
    result["connected_a_second"] = round(len(sockets) / (time.perf_counter() - started))
    await talk(sockets, some, options.rate, 2)  # warm
    cpu, started = server.cpu(), time.perf_counter()
    said = await talk(sockets, some, options.rate, options.seconds)
    busy = (server.cpu() - cpu) / (time.perf_counter() - started)
    result["W6"] = {**figures(said), "sockets": len(sockets), "rate": options.rate, "busy": round(busy, 2)}
    result["W6"]["cpu_ms_a_message"] = round((server.cpu() - cpu) / len(said.due) * 1000, 2)
    result["W6"]["closed"] = sum(one.is_lost for one in sockets.values())
    if options.idle:
        result["idle"] = await _hold(server, sockets, tokens, options, before)
        result["idle"]["W6"] = figures(await talk(sockets, some, options.idle_rate, 5))
    return result


async def _hold(
    server: Server, sockets: dict[int, Socket], tokens: dict[int, str], options: argparse.Namespace, empty: float
) -> dict[str, Any]:
    """Add silent sockets until there are so many in all, and hold them for some pings."""
    before, started = server.memory(), time.perf_counter()
    more = dict(list(tokens.items())[options.sockets : options.idle])
    held = {**sockets, **await connect(server.ports, more, deaf)}
    seconds = time.perf_counter() - started
    cpu, since = server.cpu(), time.perf_counter()
    await asyncio.sleep(options.hold)
    after = server.memory()
    return {
        "sockets": len(held),
        "lost": sum(one.is_lost for one in held.values()),
        "connected_a_second": round(len(more) / seconds),
        "kb_a_socket": round((after - before) * 1024 / len(more), 1),
        "empty_mb": round(empty),
        "mb": round(after),
        "busy": round((server.cpu() - cpu) / (time.perf_counter() - since), 2),
    }


def table(result: dict[str, Any]) -> Table:
    """What counts."""
    made = Table("", "sockets", "messages/s", "acknowledged p50 / p99 ms", "delivered p50 / p99 ms", "lost", "busy")
    rows = [("W6", result["W6"], result["W6"]["sockets"], result["W6"]["rate"], result["W6"]["busy"])]
    if idle := result.get("idle"):
        rows.append(("most of them silent", idle["W6"], idle["sockets"], result["options"]["idle_rate"], idle["busy"]))
    for name, one, sockets, rate, busy in rows:
        times = [f"{one[f'{what}_p50_ms']} / {one[f'{what}_p99_ms']}" for what in ("acknowledged", "delivered")]
        made.add_row(
            name, f"{sockets:,}", f"{rate:g}", *times, str(one["delivered_lost"] + one["refused"]), f"{busy:.0%}"
        )
    return made


def main() -> None:
    """Fill, connect, talk, print, keep."""
    parser = argparse.ArgumentParser(prog="benchmarks.chat")
    parser.add_argument("--sockets", type=int, default=1_000, help="people who talk in pairs")
    parser.add_argument("--rate", type=float, default=200, help="messages a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--instances", type=int, default=1, help="processes with sockets")
    parser.add_argument("--idle", type=int, default=10_000, help="sockets in all for the second part; 0 leaves it out")
    parser.add_argument("--idle-rate", type=float, default=20, help="messages a second among them")
    parser.add_argument("--hold", type=float, default=30, help="seconds they are held")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500
    if options.idle > most:
        print(f"ulimit -n leaves room for {most} sockets instead of {options.idle}")
        options.idle = most
    postgres, redis = start_postgres(), start_redis()
    try:
        url = database(postgres.url)
        tokens, pairs = people(url, max(options.sockets, options.idle))
        with serve(url, redis.url, options.instances) as server:
            result = asyncio.run(_measure(server, tokens, pairs, options))
    finally:
        postgres.stop()
        redis.stop()
    result["options"] = vars(options)
    console = Console()
    console.print(table(result))
    if idle := result.get("idle"):
        print(f"{idle['kb_a_socket']} kB a socket; {idle['lost']} of {idle['sockets']} lost in {options.hold:g} s")
    print(f"{result['connected_a_second']} connections a second; the goal is a p99 below {GOAL_MS} ms")
    (RESULTS / datetime.now(UTC).strftime("chat-%Y-%m-%dT%H%M%S.json")).write_text(json.dumps(result, indent=2))


def database(server_url: str) -> str:
    """Migrated, with people."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench_chat")
    url = make_url(server_url).set(database="bench_chat").render_as_string(hide_password=False)
    fill._migrate(url)
    with psycopg.connect(url) as connection:
        connection.execute(fill.ADD_PEOPLE)
    return url


def _wait(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")


if __name__ == "__main__":
    main()
