"""So many at once, the others in the order they came, for a bounded time (the bulkhead pattern of "Release It!").

`Bulkhead` is the queue; `TurnPool` is a connection pool behind two of them: requests wait for each other, and what
works in the background has connections of its own, which no number of requests takes away.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

RESERVED = 4  # connections of a pool for the background's three threads, and for whoever asks whether all is well
_here = threading.local()


class Bulkhead:
    """A semaphore of `places`, first come first served."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.RLock()  # the garbage collector may give a place back in the middle of anything

    def enter(self, patience: float) -> bool:
        """Take a place; False where none was free within `patience` seconds."""
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            self._waiting.append(turn)
        if turn.acquire(timeout=patience):
            return True
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it came in the last moment

    def leave(self) -> None:
        """Give the place back, to whoever has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class TurnPool(QueuePool):
    """All but RESERVED connections are for requests; who waits longer than the pool's timeout gets PoolTimeout."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._for_requests = Bulkhead(max(1, self.size() - RESERVED))
        self._for_background = Bulkhead(RESERVED)
        self._sides: dict[int, Bulkhead] = {}

    def _do_get(self) -> ConnectionPoolEntry:
        side = self._for_background if is_background() else self._for_requests
        if not side.enter(self._timeout):
            raise PoolTimeout(f"no connection of {self.size()} became free within {self._timeout:g} s")
        try:
            record = super()._do_get()
        except BaseException:
            side.leave()
            raise
        self._sides[id(record)] = side
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        side = self._sides.pop(id(record), None)
        super()._do_return_conn(record)
        if side is not None:
            side.leave()


def is_background() -> bool:
    """Whether this thread takes database connections of the RESERVED ones."""
    return bool(getattr(_here, "is_background", False))


@contextmanager
def in_background() -> Iterator[None]:
    """This thread's work inside takes the RESERVED database connections, not those of requests."""
    before, _here.is_background = is_background(), True
    try:
        yield
    finally:
        _here.is_background = before
