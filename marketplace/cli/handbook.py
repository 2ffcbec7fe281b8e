"""`flask handbook`: the pages of docs/ that are written by the code itself."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
from flask.cli import with_appcontext

from marketplace.cli.errors import in_sentences
from marketplace.cli.settings import settings_example, settings_page
from marketplace.core.outbox import subscribers
from marketplace.disputes.lifecycle import DISPUTE_LIFECYCLE, OFFER_LIFECYCLE
from marketplace.events import (
    auth,
    disputes,
    listings,
    messaging,
    offerings,
    payments,
    reviews,
    subscriptions,
    tasks,
    uploads,
)
from marketplace.events.base import Event
from marketplace.kit.lifecycle import Lifecycle, Move
from marketplace.listings.lifecycle import LISTING_LIFECYCLE
from marketplace.offerings.lifecycle import OFFERING_LIFECYCLE
from marketplace.payments.lifecycle import PAYMENT_LIFECYCLE, PAYOUT_LIFECYCLE, REFUND_LIFECYCLE
from marketplace.subscriptions.lifecycle import SUBSCRIPTION_LIFECYCLE
from marketplace.tasks.lifecycle import APPLICATION_LIFECYCLE, TASK_LIFECYCLE

DOCS = Path(__file__).parents[2] / "docs"
LIFECYCLES = (
    *(LISTING_LIFECYCLE, TASK_LIFECYCLE, APPLICATION_LIFECYCLE, OFFERING_LIFECYCLE),
    *(PAYMENT_LIFECYCLE, REFUND_LIFECYCLE, PAYOUT_LIFECYCLE, SUBSCRIPTION_LIFECYCLE),
    *(DISPUTE_LIFECYCLE, OFFER_LIFECYCLE),
)
EVENT_MODULES = (auth, payments, subscriptions, uploads, listings, tasks, offerings, disputes, messaging, reviews)


@click.command("handbook")
@with_appcontext
@in_sentences
def handbook() -> None:
    """Write docs/lifecycles.md, docs/events.md, docs/settings.md and .env.example from the code."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        click.echo((DOCS / name).resolve().relative_to(DOCS.parent))


def pages() -> dict[str, str]:
    """File, seen from docs/ → text."""
    return {
        "lifecycles.md": _lifecycles_page(),
        "events.md": _events_page(),
        "settings.md": settings_page(),
        "../.env.example": settings_example(),
    }


def all_events() -> list[type[Event]]:
    """Every fact, in the order of the floors."""
    return [
        kind
        for module in EVENT_MODULES
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    ]


def _lifecycles_page() -> str:
    head = (
        "# Lifecycles\n\nWritten by `flask handbook` from the tables in each slice's `lifecycle.py`. "
        "`available_actions` of a thing names the verbs that have a request here and that the person who asks can use "
        "now; `{id}` is the thing's.\n"
    )
    return head + "".join(_lifecycle(table) for table in LIFECYCLES)


def _lifecycle(table: Lifecycle) -> str:
    head = f"\n## {table.thing.capitalize()}\n\nStarts as `{table.initial}`.\n\n"
    rows = [_row(verb, move, table.requests.get(verb)) for verb, moves in table.moves.items() for move in moves]
    columns = "| verb | from | to | who | by itself after | request |\n| --- | --- | --- | --- | --- | --- |\n"
    return head + columns + "".join(rows)


def _row(verb: str, move: Move, request: str | None) -> str:
    said = f"`{request}`" if request and move.by != {"system"} else ""
    to = f"`{move.to}`" if move.to else "stays"
    sources = ", ".join(f"`{s}`" for s in sorted(move.sources))
    return f"| {verb} | {sources} | {to} | {', '.join(sorted(move.by))} | {move.after or ''} | {said} |\n"


def _events_page() -> str:
    head = "# Events\n\nWritten by `flask handbook` from `marketplace/events/`.\n\n"
    return head + "| fact | when | carries | who listens |\n| --- | --- | --- | --- |\n" + "".join(_event_rows())


def _event_rows() -> Iterator[str]:
    for kind in all_events():
        listeners = ", ".join(f"`{f.__module__.split('.')[1]}.{f.__name__}`" for f in subscribers.get(kind, []))
        carried = ", ".join(f"`{field.name}`" for field in fields(kind))
        yield f"| {kind.__name__} | {kind.__doc__} | {carried} | {listeners} |\n"
