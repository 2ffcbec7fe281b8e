"""What the clock does to disputes."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from marketplace.core.db import in_transaction
from marketplace.core.jobs import Run, job
from marketplace.disputes import queries, service, settling
from marketplace.kit.errors import Problem

AT_ONCE = 200
log = structlog.get_logger(__name__)


@job("advance_disputes", timeout=300, every=timedelta(minutes=1))
def advance_disputes(run: Run) -> None:
    """Sides that did not answer in time, decisions nobody appealed, and disputed tasks that have no file."""
    _each(queries.unanswered, service.lapse)
    _each(queries.unappealed, settling.finish)
    _each(queries.tasks_without_file, service.open_missing)


def _each(due: Callable[..., Any], go_on: Callable[[int], None]) -> None:
    """One transaction each: one that cannot go on does not hold up the others."""
    for thing_id in due(batch=AT_ONCE):
        try:
            in_transaction(partial(go_on, thing_id))
        except Problem as problem:
            log.warning("a dispute cannot go on", verb=go_on.__name__, id=thing_id, problem=str(problem))
