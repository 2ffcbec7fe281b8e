"""`make bench`: ours against the peers, in turn, medians and ratios; then what more rows cost."""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import event

from benchmarks import fill, growth, load, servers, workloads
from benchmarks.peers import psycopg_loop
from benchmarks.workloads import MISSPELT, SUGGEST, place
from marketplace.app import create_app
from marketplace.core.database.db import db
from tests.servers.postgres import start_postgres

RESULTS = Path(__file__).parent / "results"
GOALS = {"W1": 3.0, "W2": 1.6, "W3": 1.5, "W4": 2.5}
GROWTH = "W7"
WORKLOADS = ("W1", "W2", "W3", "W4", MISSPELT, SUGGEST, GROWTH)
Runs = dict[str, dict[str, list[load.Measured]]]


def statements(url: str, count: int = 200) -> list[psycopg_loop.Statement]:
    """What our W1 asks of the database, statement by statement."""
    ran: list[psycopg_loop.Statement] = []
    app = create_app(fill.settings(url))
    with app.app_context():
        engine = db.engine
    app.test_client().get(place())
    event.listen(engine, "before_cursor_execute", lambda c, cu, sql, params, *_: ran.append((sql, params)))
    for _ in range(count):
        app.test_client().get(place())
    engine.dispose()
    return [(sql, params) for sql, params in ran if "FROM listings" in sql]


def measure(url: str, options: argparse.Namespace) -> Runs:
    """Rounds of every workload, ours and the peer's in turn."""
    titles, token = fill.titles(url, options.rows), fill.sign_in(url)
    runs: Runs = {}
    with servers.serve(servers.OURS, url) as ours, servers.serve(servers.FASTAPI, url) as fastapi:
        workloads.check_same_answers(ours, fastapi, titles)
        for name, make in workloads.requests(token, options.rows, titles).items():
            if name not in options.only:
                continue
            order = [("ours", ours), ("fastapi", fastapi)] if name in GOALS else [("ours", ours)]
            runs[name] = {who: [] for who, _ in order}
            for _, port in order:
                load.run(port, make, 1, "warm")
            fill.settle(url)
            for round_ in range(options.rounds):
                for who, port in order if round_ % 2 == 0 else order[::-1]:
                    measured = load.run(port, make, options.seconds, f"round {round_}")
                    assert not measured.failed, f"{who} failed {measured.failed} of {measured.requests} in {name}"
                    runs[name][who].append(measured)
                    fill.settle(url)
    return runs


def table(runs: Runs, floor: float) -> Table:
    """Requests a second, their ratio, and how long ours take with 32 at once."""
    made = Table(
        Column("", no_wrap=True), "ours/s", "FastAPI/s", "ratio", "goal", "p50 ms", "p95 ms", "of bare psycopg"
    )
    for name, who in sorted(runs.items()):
        ours = _median(who["ours"], "rate")
        peer, ratio = (
            ("", "") if "fastapi" not in who else (f"{_median(who['fastapi'], 'rate'):.0f}", f"{_ratio(who):.2f}")
        )
        share = f"{ours / floor:.0%}" if name == "W1" else ""
        times = [f"{_median(who['ours'], which):.1f}" for which in ("p50_ms", "p95_ms")]
        made.add_row(name, f"{ours:.0f}", peer, ratio, str(GOALS.get(name, "")), *times, share)
    return made


def _median(measured: list[load.Measured], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in measured))


def _ratio(who: dict[str, list[load.Measured]]) -> float:
    return statistics.median(x.rate / y.rate for x, y in zip(who["ours"], who["fastapi"], strict=True))


def _kept(runs: Runs) -> dict[str, Any]:
    names = {"rates": "rate", "p50_ms": "p50_ms", "p95_ms": "p95_ms"}
    return {
        part: {
            name: {one: [getattr(m, what) for m in measured] for one, measured in who.items()}
            for name, who in runs.items()
        }
        for part, what in names.items()
    }


def _bench(server_url: str, options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if set(options.only) - {GROWTH}:
        url = fill.database(server_url, options.rows)
        runs = measure(url, options)
        floor = psycopg_loop.rate(url, statements(url), options.seconds)
        Console().print(table(runs, floor))
        result |= {**_kept(runs), "psycopg_loop_W1": floor}
    if options.sizes and GROWTH in options.only:
        urls = {rows: fill.database(server_url, rows) for rows in options.sizes}
        times = growth.measure(urls, rounds=options.rounds, seconds=options.seconds)
        Console().print(growth.table(times))
        result["growth"] = growth.kept(times)
    return result


@contextmanager
def _server() -> Iterator[str]:
    """A Postgres of one's own, which keeps what was filled for the next time, or a temporary one."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        yield url
        return
    postgres = start_postgres()
    try:
        yield postgres.url
    finally:
        postgres.stop()


def main() -> None:
    """Fill, measure, print, keep."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--rows", type=int, default=200_000, help="listings of the table")
    parser.add_argument("--sizes", default="20000,200000,2000000", help="listings of W7, one number after another")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", nargs="*", choices=WORKLOADS, default=WORKLOADS)
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.sizes.split(",") if size]
    started = time.monotonic()
    with _server() as url:
        result = _bench(url, options)
    print(f"{time.monotonic() - started:.0f} s in all")
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.json")
    (RESULTS / name).write_text(json.dumps({**result, "options": vars(options)}, indent=2))


if __name__ == "__main__":
    main()
