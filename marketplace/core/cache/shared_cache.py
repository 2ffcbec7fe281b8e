"""Answers kept for a few seconds: the same for everybody, never anybody's own.

`Kept` holds one value in this process. `Shared` holds whole answers for all processes, in Redis where
there is one; an event that could change them makes them stale at once, time does the rest.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from flask import Flask, current_app
from redis import Redis
from redis.exceptions import RedisError

from marketplace.events.base import Event

T = TypeVar("T")
MOST_IN_MEMORY = 1000
V = TypeVar("V")
PAUSE = 5.0  # seconds without asking a Redis that did not answer
TIMEOUT = 0.2


class Kept(Generic[T]):
    """The result of `load`, loaded again after `seconds` or after `forget()`."""

    def __init__(self, load: Callable[[], T], seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._kept: tuple[float, T] | None = None

    def get(self) -> T:
        """The kept value, loaded where it is older than `seconds`."""
        kept = self._kept
        if kept is None or kept[0] < time.monotonic():
            kept = self._kept = (time.monotonic() + self._seconds, self._load())
        return kept[1]

    def forget(self) -> None:
        """Load again at the next call."""
        self._kept = None


class Shared:
    """Bytes by topic and name. What was read before a `forget` is stored under the old version of its
    topic, where nobody looks any more: a slow reader cannot bring a stale answer back."""

    def __init__(self, redis_url: str, seconds: int) -> None:
        self.seconds = seconds
        short = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        self._redis = Redis.from_url(redis_url, **short) if redis_url else None
        self._silent_until = 0.0
        self._memory: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._versions: dict[str, int] = {}

    def version(self, topic: str) -> int | None:
        """The number of the topic, to be read before the answer is made; None where nothing can be kept now."""
        if not self.seconds:
            return None
        if self._redis is None:
            return self._versions.get(topic, 0)
        found = self._ask(lambda redis: redis.get(f"version:{topic}") or 0)
        return None if found is None else int(found)

    def get(self, topic: str, version: int, name: str) -> bytes | None:
        """The answer kept under this version of the topic; None where there is none."""
        key = f"answer:{topic}:{version}:{name}"
        if self._redis is not None:
            found = self._ask(lambda redis: redis.get(key))
            return found if isinstance(found, bytes) else None
        kept = self._memory.get(key)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def put(self, topic: str, version: int, name: str, answer: bytes) -> None:
        """Keep it for the configured seconds."""
        key = f"answer:{topic}:{version}:{name}"
        if self._redis is not None:
            self._ask(lambda redis: redis.set(key, answer, ex=self.seconds))
            return
        self._memory[key] = (time.monotonic() + self.seconds, answer)
        while len(self._memory) > MOST_IN_MEMORY:
            self._memory.popitem(last=False)

    def forget(self, topic: str) -> None:
        """Raise the number of the topic: whatever is kept under the old one is found no more."""
        if self._redis is None:
            self._versions[topic] = self._versions.get(topic, 0) + 1
            return
        self._ask(lambda redis: redis.incr(f"version:{topic}"))

    def _ask(self, question: Callable[[Redis], V]) -> V | None:
        """None where Redis does not answer; then it is left alone for a while."""
        if self._redis is None or self._silent_until > time.monotonic():
            return None
        try:
            return question(self._redis)
        except RedisError:
            self._silent_until = time.monotonic() + PAUSE
            return None


def init_app(app: Flask) -> None:
    """Make the store of shared answers: REDIS_URL or memory, LIST_CACHE_SECONDS long."""
    app.extensions["shared_answers"] = Shared(app.config["REDIS_URL"], app.config["LIST_CACHE_SECONDS"])


def shared() -> Shared:
    """The store of shared answers that `init_app` made."""
    found: Shared = current_app.extensions["shared_answers"]
    return found


def end_topics(app: Flask, topics: Iterable[tuple[str, tuple[type[Event], ...]]]) -> None:
    """Say which events make which topics stale, as the slices' manifests declare them."""
    ended: dict[type[Event], list[str]] = {}
    for topic, events in topics:
        for event in events:
            ended.setdefault(event, []).append(topic)
    app.extensions["ended_topics"] = ended


def ended_topics(event: type[Event]) -> Sequence[str]:
    """The topics that an event of this kind makes stale."""
    ended: dict[type[Event], list[str]] = current_app.extensions["ended_topics"]
    return ended.get(event, ())


def forget_for(event: type[Event]) -> None:
    """What an event of this kind could change is stale; called after its commit."""
    for topic in ended_topics(event):
        shared().forget(topic)
