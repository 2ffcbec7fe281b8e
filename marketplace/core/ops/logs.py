"""Structured logs: readable in a terminal, JSON lines where a machine reads them."""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, request

access = structlog.get_logger("access")
LOGGED = "marketplace.logged"


def init_app(app: Flask) -> None:
    """Configure structlog and write one line a request."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if app.config["LOG_JSON"] else _as_it_is,
            structlog.processors.JSONRenderer() if app.config["LOG_JSON"] else _console(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(app.config["LOG_LEVEL"])),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    app.log_exception = _unhandled  # type: ignore[method-assign]
    app.before_request(_start)
    app.after_request(_finish)


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _as_it_is(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event


def _unhandled(exc_info: Any) -> None:
    access.error("unhandled", request_id=g.get("request_id"), exc_info=exc_info)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    access.info(
        "request",
        request_id=g.get("request_id"),
        method=request.method,
        path=quote(request.path),  # never the query: it may carry a token
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.started) * 1000, 1),
        actor=g.get("actor_id"),
        address=request.remote_addr,
    )
    request.environ.get(LOGGED, set()).add(True)
    return response


class EveryRequest:
    """One line also for what Flask never sees: sockets, and what is refused in front of it."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self.inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started, said = time.perf_counter(), [""]
        logged = environ[LOGGED] = set[bool]()  # Socket.IO hands a copy of the environment on

        def answering(status: str, *rest: Any, **more: Any) -> object:
            said[0] = status.partition(" ")[0]
            return start_response(status, *rest, **more)

        try:
            return self.inner(environ, answering)
        finally:
            if not logged:
                _line(environ, said[0], round((time.perf_counter() - started) * 1000, 1))


def _line(environ: dict[str, Any], status: str, ms: float) -> None:
    access.info(
        "request",
        method=environ.get("REQUEST_METHOD"),
        path=quote(environ.get("PATH_INFO", ""), encoding="latin-1"),
        status=int(status) if status.isdecimal() else None,
        ms=ms,
        address=environ.get("REMOTE_ADDR"),
    )
