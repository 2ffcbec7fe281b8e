"""W7: what ten times as many rows cost."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from math import log
from typing import Any

from rich.table import Table

from benchmarks import fill, load, servers, workloads

MEASURED = ("W1", "W2", "W4", "W3")


def allowed(few: int, many: int) -> float:
    """How often the time a request takes may grow when `few` rows become `many`: less than the logarithm's double,
    2 · log(many) / log(few), which is 2.46 from 20,000 to 200,000 and 2.38 from there to 2,000,000."""
    return 2 * log(many) / log(few)


def measure(urls: dict[int, str], *, rounds: int, seconds: float) -> dict[str, dict[int, list[float]]]:
    """Median milliseconds of each round, by workload and size: one client, the same queries, the sizes in turn."""
    sizes = sorted(urls)
    titles = fill.titles(urls[sizes[0]], sizes[0])
    with ExitStack() as stack:
        ports = {rows: stack.enter_context(servers.serve(servers.OURS, urls[rows])) for rows in sizes}
        makes = {rows: workloads.requests(fill.sign_in(urls[rows]), rows, titles) for rows in sizes}
        times: dict[str, dict[int, list[float]]] = {}
        for name in MEASURED:
            times[name] = {rows: [] for rows in sizes}
            for rows in sizes:
                load.run(ports[rows], makes[rows][name], 1, "warm")
                fill.settle(urls[rows])
            for round_ in range(rounds):
                for rows in sizes if round_ % 2 == 0 else sizes[::-1]:
                    measured = load.run(ports[rows], makes[rows][name], seconds, f"round {round_}")
                    assert not measured.failed, (
                        f"{measured.failed} of {measured.requests} failed in {name}, {rows} rows"
                    )
                    times[name][rows].append(measured.p50_ms)
                    fill.settle(urls[rows])
    return times


def ratios(times: dict[int, list[float]]) -> list[float]:
    """From each size to the next: the median of the rounds' ratios."""
    return [
        statistics.median(after / before for before, after in zip(times[few], times[many], strict=True))
        for few, many in pairwise(sorted(times))
    ]


def table(result: dict[str, dict[int, list[float]]]) -> Table:
    """Milliseconds at each size, and how they grow."""
    sizes = sorted(next(iter(result.values())))
    steps = [f"{few:,} → {many:,}\n(< {allowed(few, many):.2f})" for few, many in pairwise(sizes)]
    made = Table("W7", *(f"{rows:,} rows\nms" for rows in sizes), *steps)
    for name, times in result.items():
        medians = [f"{statistics.median(times[rows]):.1f}" for rows in sizes]
        made.add_row(name, *medians, *(_shown(*pair) for pair in zip(ratios(times), _limits(sizes), strict=True)))
    return made


def _limits(sizes: Sequence[int]) -> list[float]:
    return [allowed(few, many) for few, many in pairwise(sizes)]


def _shown(ratio: float, limit: float) -> str:
    return f"{ratio:.2f}" if ratio < limit else f"[bold]{ratio:.2f} too much[/bold]"


def kept(result: dict[str, dict[int, list[float]]]) -> dict[str, Any]:
    """What goes into the file."""
    return {name: {"ms": times, "growth": ratios(times)} for name, times in result.items()}
