"""`flask handbook`: the pages of docs/ that are written by the code itself."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import click
from flask.cli import with_appcontext

from marketplace.cli.errors import in_sentences
from marketplace.cli.linter import with_lists
from marketplace.cli.settings import settings_example, settings_page
from marketplace.core.manifest import Manifest, slices
from marketplace.core.queues.outbox import subscribers
from marketplace.events.base import Event
from marketplace.kit.lifecycle import Lifecycle, Move

DOCS = Path(__file__).parents[2] / "docs"
LINTER = DOCS.parent / ".importlinter"


@click.command("handbook")
@with_appcontext
@in_sentences
def handbook() -> None:
    """Write docs/lifecycles.md, docs/events.md, docs/settings.md, .env.example and the lists of .importlinter."""
    for name, text in pages(slices()).items():
        (DOCS / name).write_text(text, encoding="utf-8")
        click.echo((DOCS / name).resolve().relative_to(DOCS.parent))


def pages(manifests: Iterable[Manifest]) -> dict[str, str]:
    """File, seen from docs/ → text."""
    known = sorted(manifests, key=lambda one: one.floor)
    return {
        "lifecycles.md": _lifecycles_page(lifecycles(known)),
        "events.md": _events_page(all_events(known)),
        "settings.md": settings_page(),
        "../.env.example": settings_example(),
        "../.importlinter": with_lists(LINTER.read_text(encoding="utf-8"), known),
    }


def lifecycles(manifests: Iterable[Manifest]) -> list[Lifecycle]:
    """Every table of moves, as the slices have them."""
    return [model.lifecycle for one in manifests for model in one.stateful]


def all_events(manifests: Iterable[Manifest]) -> list[type[Event]]:
    """Every fact that a slice publishes."""
    return [
        kind
        for module in (module for one in manifests for module in one.events)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    ]


def _lifecycles_page(tables: Iterable[Lifecycle]) -> str:
    head = (
        "# Lifecycles\n\nWritten by `flask handbook` from the tables in each slice's `lifecycle.py`. "
        "`available_actions` of a thing names the verbs that have a request here and that the person who asks can use "
        "now; `{id}` is the thing's.\n"
    )
    return head + "".join(map(_lifecycle, tables))


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


def _events_page(kinds: Iterable[type[Event]]) -> str:
    head = "# Events\n\nWritten by `flask handbook` from `marketplace/events/`.\n\n"
    return head + "| fact | when | carries | who listens |\n| --- | --- | --- | --- |\n" + "".join(_event_rows(kinds))


def _event_rows(kinds: Iterable[type[Event]]) -> Iterator[str]:
    for kind in kinds:
        listeners = ", ".join(f"`{f.__module__.split('.')[1]}.{f.__name__}`" for f in subscribers.get(kind, []))
        carried = ", ".join(f"`{one.name}`" for one in fields(kind))
        yield f"| {kind.__name__} | {kind.__doc__} | {carried} | {listeners} |\n"
