"""The floor: the same statements in a bare psycopg loop, two processes of four threads as the server has."""

import multiprocessing
import threading
import time
from typing import Any

import psycopg

Statement = tuple[str, dict[str, Any]]
PROCESSES, THREADS = 2, 4


def rate(url: str, statements: list[Statement], seconds: float) -> float:
    """Statements a second, rows fetched."""
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        counts = pool.starmap(_process, [(url, statements, seconds)] * PROCESSES)
    return sum(counts) / seconds


def _process(url: str, statements: list[Statement], seconds: float) -> int:
    counts = [0] * THREADS
    threads = [
        threading.Thread(target=_loop, args=(url, statements, seconds, counts, index)) for index in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _loop(url: str, statements: list[Statement], seconds: float, counts: list[int], index: int) -> None:
    end = time.perf_counter() + seconds
    with psycopg.connect(url, autocommit=True, options="-c random_page_cost=1.1") as connection:
        while time.perf_counter() < end:
            sql, parameters = statements[counts[index] % len(statements)]
            connection.execute(sql, parameters, prepare=True).fetchall()
            counts[index] += 1
