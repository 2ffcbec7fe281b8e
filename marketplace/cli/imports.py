"""`flask import`: thousands of rows a second, bad ones into a reject file, safe to run again."""

import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from marketplace.auth.models import User
from marketplace.cli.errors import on_database
from marketplace.cli.import_rows import KINDS, Kind
from marketplace.core.db import db, execute, fetch, in_transaction
from marketplace.kit.normalization import email_address

BATCH = 1000
SAME_FOR_ALL = "@"
SYNONYMS = {"lat": "latitude", "lng": "longitude", "lon": "longitude", "image_urls": "images", "id": "external_id"}


@dataclass
class Report:
    """What became of the rows."""

    read: int = 0
    imported: int = 0
    rejected: int = 0
    seconds: float = 0.0
    rejects: Path | None = None

    @property
    def known(self) -> int:
        """Rows that were there already, from an earlier run or further up in the file."""
        return self.read - self.imported - self.rejected

    def __str__(self) -> str:
        speed = self.read / self.seconds if self.seconds else 0
        line = f"{self.read} read, {self.imported} imported, {self.known} already there, {self.rejected} rejected"
        where = f"; see {self.rejects}" if self.rejected else ""
        return f"{line} ({speed:,.0f} rows a second){where}"


@dataclass
class Import:
    """One run over one file."""

    kind: Kind
    source: str
    mapping: dict[str, str]
    rejects: Path
    owner_id: int | None = None
    owners: dict[str, int] | None = None
    report: Report = field(default_factory=Report)

    def run(self, rows: Iterator[dict[str, Any]]) -> Report:
        """Batches of a thousand, each in its own transaction."""
        started = time.perf_counter()
        self.report.rejects = self.rejects
        while batch := list(islice(rows, BATCH)):
            good = self._checked(batch)
            self.report.read += len(batch)
            if good:
                self.report.imported += in_transaction(lambda good=good: _insert(self.kind, good))  # type: ignore[misc]
        self.report.seconds = time.perf_counter() - started
        return self.report

    def _checked(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        good, bad = [], []
        for raw in batch:
            try:
                good.append(self._row(raw))
            except ValueError as reason:
                bad.append({**raw, "reason": str(reason)})
        self._reject(bad)
        return good

    def _row(self, raw: dict[str, Any]) -> dict[str, Any]:
        if None in raw:
            raise ValueError("This row has more values than the header has names.")
        found = {name: _value(raw, column) for name, column in self.mapping.items()}
        external_id = str(found.pop("external_id") or "").strip()
        if not external_id or len(external_id) > 150:
            raise ValueError("external_id: Missing, or longer than 150 characters.")
        owner = found.pop("owner", None)
        return self.kind.row(found, f"{self.source}:{external_id}", self._owner(owner))

    def _owner(self, external_id: Any) -> int | None:
        if self.owners is None or self.kind.owner_column is None:
            return self.owner_id
        if external_id not in self.owners:
            raise ValueError(f"owner: Nobody was imported as {external_id}.")
        return self.owners[external_id]

    def _reject(self, bad: list[dict[str, Any]]) -> None:
        if not bad:
            return
        first = self.report.rejected == 0
        with self.rejects.open("w" if first else "a", encoding="utf-8", errors="replace", newline="") as file:
            names = [name for name in bad[0] if name not in (None, "reason")] + ["reason"]
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            if first:
                writer.writeheader()
            writer.writerows(bad)
        self.report.rejected += len(bad)


def _value(raw: dict[str, Any], column: str) -> Any:
    return column[1:] if column.startswith(SAME_FOR_ALL) else raw.get(column)


def _insert(kind: Kind, rows: list[dict[str, Any]]) -> int:
    """Rows that are new; the unique import_ref passes over the others."""
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    counting = insert(kind.table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return execute(counting, rows)


@click.command("import")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="FIELD=@VALUE is the same for every row.")
@click.option("--source", help="Whose ids these are; the file's name unless told.")
@click.option("--owner", help="The username all rows belong to.")
@click.option("--owner-source", help="The --source under which the people in the owner column were imported.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="FILE.rejects.csv unless told.")
@click.option("--limit", type=click.IntRange(1), help="Read so many rows only.")
@on_database
def import_file(
    kind: str,
    file: Path,
    maps: tuple[str, ...],
    source: str | None,
    owner: str | None,
    owner_source: str | None,
    rejects: Path | None,
    limit: int | None,
) -> None:
    """Import listings, offerings, tasks or users from a CSV file with a header."""
    csv.field_size_limit(10**9)
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.DictReader(lines)
        run = Import(
            KINDS[kind],
            source or file.stem,
            _mapping(KINDS[kind], reader.fieldnames or [], maps),
            rejects or Path(f"{file.stem}.rejects.csv"),
        )
        _set_owner(run, owner, owner_source)
        click.echo(run.run(_watched(reader, file, lines, limit)))


def _mapping(kind: Kind, columns: Any, maps: tuple[str, ...]) -> dict[str, str]:
    known = {*kind.schema.fields, "external_id", "owner"}
    mapping = {name: name for name in columns if name in known}
    for column in columns:
        name = {**SYNONYMS, **kind.synonyms}.get(column)
        if name in known:
            mapping.setdefault(name, column)
    for pair in maps:
        name, separator, column = pair.partition("=")
        if not separator or name not in known:
            raise click.ClickException(f"--map {pair}: the fields are {', '.join(sorted(known))}.")
        if not column.startswith(SAME_FOR_ALL) and column not in columns:
            raise click.ClickException(f"--map {pair}: the file's columns are {', '.join(columns)}.")
        mapping[name] = column
    if "external_id" not in mapping:
        raise click.ClickException("Say which column identifies a row: --map external_id=COLUMN.")
    return mapping


def _set_owner(run: Import, owner: str | None, owner_source: str | None) -> None:
    if run.kind.owner_column is None:
        return
    if owner_source:
        people = select(User.import_ref, User.id).where(User.import_ref.startswith(f"{owner_source}:", autoescape=True))
        run.owners = {ref.partition(":")[2]: user_id for ref, user_id in map(tuple, fetch(people))}
        if not run.owners or "owner" not in run.mapping:
            raise click.ClickException("With --owner-source, import those people first and say --map owner=COLUMN.")
        return
    found = fetch(select(User.id).where(User.username_key == email_address(owner or "")))
    if not found:
        raise click.ClickException("Say whose these are: --owner USERNAME of somebody registered, or --owner-source.")
    run.owner_id = found[0].id


def _watched(reader: Any, file: Path, lines: Any, limit: int | None) -> Iterator[dict[str, Any]]:
    """The rows, with a bar on a terminal."""
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        for number, row in enumerate(_readable(reader)):
            if number == limit:
                return
            if number % BATCH == 0:
                progress.update(bar, completed=lines.buffer.tell())
            yield row


def _readable(reader: Any) -> Iterator[dict[str, Any]]:
    try:
        yield from reader
    except csv.Error as error:
        raise click.ClickException(f"Line {reader.line_num} cannot be read as CSV: {error}.") from None
