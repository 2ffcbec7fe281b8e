"""Whether what an application leans on answers: asked at most once a second, each part in a thread of its own, so that
one that hangs costs a bounded time and no more than one thread. Outside a sentence is all; the log has the error."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass

import structlog
from flask import Flask, current_app

from marketplace.core.database.bulkhead import in_background

OK, NOT_USED, SILENT = "ok", "not used", "does not answer"
DEGRADED, UNAVAILABLE = "degraded", "unavailable"
PATIENCE = 2.0  # seconds for all parts together
log = structlog.get_logger(__name__)


@dataclass
class Part:
    """`probe` returns OK, NOT_USED or a sentence for anybody; without a `vital` part nothing can be served."""

    name: str
    probe: Callable[[], str]
    vital: bool
    seconds: float
    asked_at: float = 0.0
    answer: Future[str] | None = None

    def ask(self, app: Flask) -> Future[str]:
        """The answer of a probe in a thread of its own; asked again once it is older than `seconds`."""
        if self.answer is None or (self.answer.done() and self.asked_at + self.seconds < time.monotonic()):
            self.asked_at, self.answer = time.monotonic(), Future()
            threading.Thread(target=self._run, args=(app, self.answer), daemon=True).start()
        return self.answer

    def said(self, answer: Future[str]) -> str:
        """The answer, waited for until PATIENCE after it was asked; SILENT where it did not come."""
        try:
            return answer.result(max(0.0, self.asked_at + PATIENCE - time.monotonic()))
        except TookTooLong:
            return SILENT

    def _run(self, app: Flask, answer: Future[str]) -> None:
        try:
            with in_background(), app.app_context():
                said = self.probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            log.warning("not ready", part=self.name, error=f"{type(error).__name__}: {error}")
            said = SILENT
        answer.set_result(said)


class Readiness:
    """The parts of an application that /readyz asks."""

    def __init__(self, app: Flask) -> None:
        self.app = app  # itself: the threads that ask have no current one
        self.parts: list[Part] = []
        self.lock = threading.Lock()


def init_app(app: Flask) -> None:
    """Begin with no parts; slices `add` theirs."""
    app.extensions["readiness"] = Readiness(app)


def add(app: Flask, name: str, probe: Callable[[], str], *, vital: bool = True, seconds: float = 1.0) -> None:
    """Have /readyz ask `probe`, at most every so many seconds; a `vital` part that fails makes it unavailable."""
    app.extensions["readiness"].parts.append(Part(name, probe, vital, seconds))


def ask() -> tuple[str, dict[str, str]]:
    """("ok" | "degraded" | "unavailable", what each part says by name)."""
    readiness: Readiness = current_app.extensions["readiness"]
    with readiness.lock:
        answers = [(part, part.ask(readiness.app)) for part in readiness.parts]
    said = {part.name: part.said(answer) for part, answer in answers}
    wrong = [part for part, _ in answers if said[part.name] not in {OK, NOT_USED}]
    return UNAVAILABLE if any(part.vital for part in wrong) else DEGRADED if wrong else OK, said
