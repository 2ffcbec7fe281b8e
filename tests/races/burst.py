"""Many requests released at the same instant."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from werkzeug.test import TestResponse

TIMES = 5
"""How often a call is made that is answered 503 (a row's lock was not free within 2 s): nothing was done then, and on a
slow disk thirty commits one after another take longer. Clients do the same."""


def burst(calls: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Every call in a thread of its own, held at a barrier until all are there."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], TestResponse]) -> TestResponse:
        barrier.wait()
        answer = call()
        for _ in range(1, TIMES):
            if getattr(answer, "status_code", answer) == 503:
                answer = call()
        return answer

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
