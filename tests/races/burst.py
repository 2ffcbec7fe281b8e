"""Many requests released at the same instant."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from werkzeug.test import TestResponse


def burst(calls: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Every call in a thread of its own, held at a barrier until all are there."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], TestResponse]) -> TestResponse:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
