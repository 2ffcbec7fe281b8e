"""Answers kept for a few seconds in this process: small, shared, the same for everybody."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The result of `load`, loaded again after `seconds` or after `forget()`."""

    def __init__(self, load: Callable[[], T], seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._kept: tuple[float, T] | None = None

    def get(self) -> T:
        """The kept answer, or a fresh one."""
        kept = self._kept
        if kept is None or kept[0] < time.monotonic():
            kept = self._kept = (time.monotonic() + self._seconds, self._load())
        return kept[1]

    def forget(self) -> None:
        """Load again at the next call."""
        self._kept = None
