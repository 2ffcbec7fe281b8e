"""Structured logs: readable in a terminal, JSON lines where a machine reads them."""

import logging
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

access = structlog.get_logger("access")


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
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.started) * 1000, 1),
        actor=g.get("actor_id"),
    )
    return response
