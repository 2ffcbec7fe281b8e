"""`flask audit`: what must hold in and between tables, whatever happened, as the slices' manifests say it."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import Any

import click
from sqlalchemy import TextClause, bindparam, select, text

from marketplace.cli.errors import on_database
from marketplace.core.database.db import UTCDateTime, fetch
from marketplace.core.database.lifecycle import Stateful
from marketplace.core.invariants import STUCK_AFTER
from marketplace.core.manifest import slices
from marketplace.kit.clock import now

TOO_LONG = timedelta(days=2)
AGES = {"long_ago": STUCK_AFTER, "days_ago": TOO_LONG}
_changes = text("SELECT thing, thing_id, from_state, to_state FROM state_changes ORDER BY thing, thing_id, id")


def findings() -> list[str]:
    """Everything that is not as it must be, one sentence each; empty when all is well."""
    checked = [sentence for one in slices() for check in one.checks for sentence in check()]
    return [*_broken_rules(), *_broken_histories(), *checked]


def _broken_rules() -> Iterator[str]:
    moments = {name: now() - age for name, age in AGES.items()}
    for rule in (rule for one in slices() for rule in one.invariants):
        ids = [row[0] for row in fetch(_statement(rule.statement), moments)]
        if ids:
            yield f"{rule.sentence} ({len(ids)}: {', '.join(map(str, ids[:5]))})"


@cache
def _statement(statement: str) -> TextClause:
    timed = [bindparam(name, type_=UTCDateTime()) for name in AGES if f":{name}" in statement]
    return text(statement).bindparams(*timed)


def _broken_histories() -> Iterator[str]:
    """Every history is a path in its table and ends in the thing's present status."""
    steps = {key: list(rows) for key, rows in groupby(fetch(_changes), key=lambda row: (row.thing, row.thing_id))}
    for model in (model for one in slices() for model in one.stateful):
        for row in fetch(select(model.id, model.status)):
            problem = _history_problem(model, row.status, steps.get((model.lifecycle.thing, row.id), []))
            if problem:
                yield f"{model.lifecycle.thing} {row.id}: {problem}"


def _history_problem(model: type[Stateful], status: str, steps: list[Any]) -> str | None:
    path = [model.lifecycle.initial, *(step.to_state for step in steps)]
    if [step.from_state for step in steps] != path[:-1]:
        return "a step of its history starts where none ended"
    if not model.lifecycle.is_path(path):
        return f"its history {' → '.join(path)} is not in the table"
    return None if path[-1] == status else f"it is {status}, its history says {path[-1]}"


@click.command("audit")
@on_database
def audit() -> None:
    """Check what must hold between tables; exit 1 on a finding."""
    found = findings()
    for line in found:
        click.echo(line)
    click.echo(f"{len(found)} findings." if found else "Everything is as it must be.")
    raise SystemExit(1 if found else 0)
