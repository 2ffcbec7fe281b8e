"""`flask outbox`, `jobs`, `notifications`: what waits, failed or died, and send it again; `flask messages`."""

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from marketplace.cli.errors import on_database
from marketplace.core.database.db import fetch, in_transaction
from marketplace.core.queues.jobs import JOBS
from marketplace.core.queues.outbox import OUTBOX
from marketplace.core.queues.work_queue import STATES, Queue
from marketplace.notifications.deliveries.service import DELIVERY_QUEUE

LATEST = 20
MANY = click.IntRange(1, 10_000)
LARGEST_ID = 2**63 - 1


def command_for(queue: Queue, name: str, help_text: str, columns: dict[str, Callable[[Any], str]]) -> click.Command:
    """One command a queue: counts, the latest rows in a state, and --again."""

    @click.command(name, help=help_text)
    @click.option("--state", type=click.Choice(STATES), help="Show the latest rows in this state.")
    @click.option("--limit", type=MANY, default=LATEST, show_default=True)
    @click.option("--again", help="Try dead rows once more: an id, several with commas, or all.")
    @on_database
    def command(state: str | None, limit: int, again: str | None) -> None:
        if again is not None:
            _again(queue, again)
            return
        console = Console()
        console.print(", ".join(f"{queue.count(one)} {one}" for one in STATES))
        if queue is OUTBOX and (shown := _shown_messages()):
            console.print(f"{shown} mails, pushes and SMS were shown instead of sent; read them with: flask messages")
        for one in [state] if state else [s for s in ("failed", "dead", "waiting") if queue.count(s)]:
            console.print(_listing(queue, one, limit, columns))

    return command


def _shown_messages() -> int:
    shown = select(func.count()).select_from(DELIVERY_QUEUE.table).where(DELIVERY_QUEUE.table.c.shown.is_not(None))
    return int(fetch(shown)[0][0])


def _again(queue: Queue, which: str) -> None:
    ids = [] if which == "all" else _ids(which)
    count = in_transaction(lambda: queue.again(*ids))
    click.echo(f"{count} will be tried again.")


def _ids(which: str) -> list[int]:
    parts = [part.strip() for part in which.split(",")]
    if not all(part.isascii() and part.isdecimal() and int(part) <= LARGEST_ID for part in parts):
        raise click.ClickException("Say --again all, or the ids of dead rows with commas.")
    return [int(part) for part in parts]


def _listing(queue: Queue, state: str, limit: int, columns: dict[str, Callable[[Any], str]]) -> Table:
    shown = Table("id", *columns, "attempts", "due", "error", title=state, title_justify="left")
    for row in fetch(select(queue.table).where(queue.state(state)).order_by(queue.table.c.id.desc()).limit(limit)):
        due = f"{row.due_at:%Y-%m-%d %H:%M:%S}"
        shown.add_row(str(row.id), *(text(row) for text in columns.values()), str(row.attempts), due, row.error or "")
    return shown


outbox_command = command_for(
    OUTBOX,
    "outbox",
    "Facts: what waits to be told, failed, or is dead.",
    {"fact": lambda row: row.name, "carries": lambda row: str(row.payload)},
)
jobs_command = command_for(
    JOBS,
    "jobs",
    "Jobs: what waits, runs, failed, or is dead.",
    {"job": lambda row: row.name, "arguments": lambda row: str(row.args)},
)
notifications_command = command_for(
    DELIVERY_QUEUE,
    "notifications",
    "Mails, pushes and SMS: what waits, failed, or is dead.",
    {"channel": lambda row: row.channel, "kind": lambda row: row.kind, "to": lambda row: f"user {row.user_id}"},
)


@click.command("messages")
@click.option("--limit", type=MANY, default=5, show_default=True)
@click.option("--user", type=click.IntRange(1, LARGEST_ID), help="Only those to the person with this id.")
@on_database
def messages_command(limit: int, user: int | None) -> None:
    """Read the latest mails, pushes and SMS that were shown instead of sent."""
    shown = select(DELIVERY_QUEUE.table).where(DELIVERY_QUEUE.table.c.shown.is_not(None))
    mine = shown if user is None else shown.where(DELIVERY_QUEUE.table.c.user_id == user)
    for row in reversed(fetch(mine.order_by(DELIVERY_QUEUE.table.c.id.desc()).limit(limit))):
        click.secho(f"{row.id} {row.channel} to user {row.user_id}, {row.done_at:%Y-%m-%d %H:%M:%S}", bold=True)
        click.echo(row.shown + "\n")
