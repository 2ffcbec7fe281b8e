"""Who does the work that waits: this process itself, or workers that are told to look.

Everything that waits stands in the database; a wake-up only says that looking is worth it now. Where
wake-ups get lost, the next sweep finds what they forgot.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError

from marketplace.core.database.bulkhead import in_background
from marketplace.core.ops.readiness import NOT_USED, OK
from marketplace.core.queues import work_queue
from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    from celery import Celery

celery = lazy_module("celery")
kombu = lazy_module("kombu.exceptions")

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 15.0
WORK = "marketplace.work"
LOOKED_AT = "marketplace:looked_at"  # in Redis: when a worker looked for work last
STOPPED_AFTER = 120.0  # seconds: eight sweeps
Work = Callable[[], object]
log = structlog.get_logger(__name__)


class Background(threading.Thread):
    """The thread of a web process: `on_wake` after each commit that left work behind (and, when `sweeping`,
    every idle second), `own` work of this process every so many seconds."""

    def __init__(self, app: Flask, on_wake: Work, own: Sequence[tuple[float, Work]] = (), *, sweeping: bool) -> None:
        super().__init__(name="background", daemon=True)
        self.app = app
        self.woken = work_queue.sleeper()
        self.on_wake = on_wake
        self.sweeping = sweeping
        self.own = own
        self.due = {work: 0.0 for _, work in own}
        self.stopping = False

    def run(self) -> None:
        """Until stopped; an error is logged and the next round tries again."""
        while not self.stopping:
            woken = self.woken.wait(IDLE_SECONDS)
            self.woken.clear()
            with in_background(), self.app.app_context():
                if woken or self.sweeping:
                    self._try(self.on_wake)
                for seconds, work in self.own:
                    if self.due[work] <= time.monotonic():
                        self.due[work] = time.monotonic() + seconds
                        self._try(work)

    def _try(self, work: Work) -> None:
        try:
            work()
        except Exception:
            log.exception("background work failed", work=getattr(work, "__name__", str(work)))

    def stop(self) -> None:
        """Finish the round and return."""
        self.stopping = True
        self.woken.set()
        self.join(timeout=5)
        work_queue.dismiss(self.woken)


def all_of(*queues: Callable[[], int]) -> Work:
    """Work through these queues in turn until nothing is due in any of them."""

    def work() -> None:
        while sum(queue() for queue in queues):
            pass

    return work


def celery_for(redis_url: str) -> "Celery":
    """The queue of wake-ups: short-lived messages, no results, and no waiting for a Redis that is gone."""
    queue = celery.Celery("marketplace", broker=redis_url or "memory://", set_as_current=False)
    queue.conf.update(
        task_ignore_result=True,
        task_default_queue="marketplace",
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 1},
        beat_schedule={"sweep": {"task": WORK, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}},
    )
    return queue


def wake_workers(queue: "Celery") -> Work:
    """Tell a worker to look; a lost Redis costs nothing but the time until the next sweep."""

    def tell() -> None:
        try:
            queue.send_task(WORK, expires=60, retry=False)
        except (kombu.KombuError, RedisError, OSError) as error:
            log.warning("no worker could be woken", error=str(error))

    return tell


def note_look(redis_url: str) -> None:
    """Write into Redis that a worker looked for work now."""
    try:
        Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1).set(LOOKED_AT, int(time.time()))
    except RedisError as error:
        log.warning("nobody hears that a worker is here", error=str(error))


def state_of_workers(redis_url: str) -> str:
    """OK for /readyz where a worker looked for work lately, by the mark that `note_look` leaves in Redis."""
    looked: Any = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1).get(LOOKED_AT)
    if looked is None:
        return "no worker has been here yet: start worker and beat"
    silent = time.time() - int(looked)
    return OK if silent < STOPPED_AFTER else f"stopped: nobody has looked for work for {silent / 60:.0f} minutes"


def state_of_threads(threads: Sequence[threading.Thread]) -> str:
    """OK for /readyz while the threads of this process live; NOT_USED where none were begun (not a server)."""
    if not threads:
        return NOT_USED
    return OK if all(thread.is_alive() for thread in threads) else "stopped: restart this process"
