"""`make bench`: ours against the peers, in turn, medians and ratios."""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event

import config
from benchmarks import load
from benchmarks.fill import CATEGORIES, fill, settings
from benchmarks.peers import psycopg_loop
from marketplace.app import create_app
from marketplace.core.db import db
from tests.servers.postgres import start_postgres

RESULTS = Path(__file__).parent / "results"
BODY = {
    "title": "City bicycle",
    "description": "Seven gears, new tyres. " * 5,
    "price": 120.5,
    "category": "bicycles",
    "condition": "good",
    "latitude": 56.95,
    "longitude": 24.1,
    "images": ["https://example.com/1.jpg"],
}
GOALS = {"W1": 3.0, "W2": 1.6, "W3": 1.5}


def place() -> str:
    """A random point in a random town."""
    town = random.randrange(40)
    lat, lng = 45 + town * 0.35 + random.random() * 0.2, 10 + (town * 7 % 40) * 0.4 + random.random() * 0.3
    category = random.choice(CATEGORIES)
    return f"/api/listings?latitude={lat:.5f}&longitude={lng:.5f}&radius=10&category={category}&per_page=20"


@contextmanager
def server(command: list[str], port: int, url: str) -> Iterator[int]:
    """A server of two processes on its port, gone afterwards."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "LOG_LEVEL": "ERROR",
        "RATE_LIMITS": "0",
        "JWT_SECRET_KEY": config.INSECURE_SECRET,
        "THREADS": "4",
    }
    process = subprocess.Popen(command, env=environment, cwd=config.ROOT, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{place()}", timeout=5).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")


def free_port() -> int:
    """One nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def workloads(token: str, rows: int) -> dict[str, Callable[[], bytes]]:
    """What a request of each workload is."""
    body = json.dumps(BODY).encode()
    return {
        "W1": lambda: load.get(place()),
        "W2": lambda: load.get(f"/api/listings/{random.randint(1, rows)}"),
        "W3": lambda: load.post("/api/listings", body, token),
    }


def statements(url: str, count: int = 200) -> list[psycopg_loop.Statement]:
    """What our W1 asks of the database, statement by statement."""
    ran: list[psycopg_loop.Statement] = []
    app = create_app(settings(url))
    with app.app_context():
        engine = db.engine
    app.test_client().get(place())
    event.listen(engine, "before_cursor_execute", lambda c, cu, sql, params, *_: ran.append((sql, params)))
    for _ in range(count):
        app.test_client().get(place())
    engine.dispose()
    return [(sql, params) for sql, params in ran if "FROM listings" in sql]


def same_answers(ours: int, peer: int) -> None:
    """The peer does the same work, or the comparison means nothing."""
    random.seed(3)
    for path in [place() for _ in range(20)]:
        answers = [_answer(port, path) for port in (ours, peer)]
        assert answers[0] == answers[1], path


def _answer(port: int, path: str) -> Any:
    page = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}"))
    return page["total"], [(item["id"], item["distance"]) for item in page["listings"]]


def measure(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of every workload, ours and the peer's in turn."""
    token = fill(url, options.rows)
    rates: dict[str, dict[str, list[float]]] = {}
    gunicorn = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-w", "2", "--threads", "4", "wsgi:app", "-b"]
    uvicorn = [
        sys.executable,
        "-m",
        "uvicorn",
        "--workers",
        "2",
        "--log-level",
        "error",
        "benchmarks.peers.fastapi_orm:app",
    ]
    a, b = free_port(), free_port()
    with server([*gunicorn, f"127.0.0.1:{a}"], a, url), server([*uvicorn, "--port", str(b)], b, url):
        same_answers(a, b)
        for name, make in workloads(token, options.rows).items():
            if options.only and name not in options.only:
                continue
            rates[name] = {"ours": [], "fastapi": []}
            load.run(a, make, 1), load.run(b, make, 1)
            for round_ in range(options.rounds):
                order = [("ours", a), ("fastapi", b)]
                for who, port in order if round_ % 2 == 0 else order[::-1]:
                    measured = load.run(port, make, options.seconds)
                    assert not measured.failed, f"{who} failed {measured.failed} of {measured.requests} in {name}"
                    rates[name][who].append(measured.rate)
    floor = psycopg_loop.rate(url, statements(url), options.seconds)
    return {"rates": rates, "psycopg_loop_W1": floor}


def report(result: dict[str, Any]) -> None:
    """The table."""
    table = Table("", "ours/s", "FastAPI/s", "ratio", "goal", "of a bare psycopg loop")
    for name, rates in result["rates"].items():
        ours, peer = statistics.median(rates["ours"]), statistics.median(rates["fastapi"])
        ratio = statistics.median(x / y for x, y in zip(rates["ours"], rates["fastapi"], strict=True))
        floor = f"{ours / result['psycopg_loop_W1']:.0%}" if name == "W1" else ""
        table.add_row(name, f"{ours:.0f}", f"{peer:.0f}", f"{ratio:.2f}", f"{GOALS[name]}", floor)
    Console().print(table)


def main() -> None:
    """Fill, measure, print, keep."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", nargs="*", choices=sorted(GOALS))
    options = parser.parse_args()
    postgres = start_postgres()
    try:
        result = measure(os.environ.get("BENCH_DATABASE_URL") or postgres.url, options)
    finally:
        postgres.stop()
    report(result)
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.json")
    (RESULTS / name).write_text(json.dumps({**result, "options": vars(options)}, indent=2))


if __name__ == "__main__":
    main()
