"""`flask import`: thousands of rows a second, bad ones into a reject file, safe to run again."""

import csv
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Column, Table, UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from marketplace.auth.models import User
from marketplace.cli.csv_records import Record, Records, Unusable, encoding_of
from marketplace.cli.errors import on_database
from marketplace.cli.import_rows import KINDS, Kind
from marketplace.core.database.db import conflicts, db, execute, fetch, in_transaction
from marketplace.kit.errors import Busy, Problem
from marketplace.kit.json_types import JsonObject
from marketplace.kit.normalization import email_address

BATCH = 1000
SAME_FOR_ALL = "@"
ADDED = ("line", "reason")  # what the reject file has beside the columns of the file
NOT_DECODED = "Not in this encoding. Say which one the file has, for example --encoding windows-1257."
SYNONYMS = {"lat": "latitude", "lng": "longitude", "lon": "longitude", "image_urls": "images", "id": "external_id"}


@dataclass
class Report:
    """What became of the rows: each is imported, was there already, or is rejected."""

    imported: int = 0
    known: int = 0
    rejected: int = 0
    seconds: float = 0.0
    rejects: Path | None = None

    @property
    def read(self) -> int:
        """All of them."""
        return self.imported + self.known + self.rejected

    def __str__(self) -> str:
        speed = self.read / self.seconds if self.seconds else 0
        line = f"{self.read} read, {self.imported} imported, {self.known} already there, {self.rejected} rejected"
        where = f"; see {self.rejects}" if self.rejected else ""
        return f"{line} ({speed:,.0f} rows a second){where}"


@dataclass
class Stored:
    """What the database made of some rows; with those it refused goes the reason."""

    imported: int = 0
    known: int = 0
    refused: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    def add(self, other: "Stored") -> None:
        """Both together."""
        self.imported += other.imported
        self.known += other.known
        self.refused += other.refused


@dataclass
class Import:
    """One run over one file."""

    kind: Kind
    source: str
    mapping: dict[str, str]
    rejects: Path
    columns: list[str]
    owner_id: int | None = None
    owners: dict[str, int] | None = None
    report: Report = field(default_factory=Report)

    def run(self, records: Iterator[Record]) -> Report:
        """Batches of a thousand, each in its own transaction."""
        started = time.perf_counter()
        self.report.rejects = self.rejects
        while batch := list(islice(records, BATCH)):
            self._take(batch)
        self.report.seconds = time.perf_counter() - started
        return self.report

    def _take(self, batch: list[Record]) -> None:
        good, bad = self._checked(batch)
        stored = store(self.kind.table, [row for row, _ in good])
        origin = {id(row): record for row, record in good}
        bad += [(origin[id(row)], reason) for row, reason in stored.refused]
        self.report.imported += stored.imported
        self.report.known += stored.known
        self._reject(sorted(bad, key=lambda each: each[0].line))

    def _checked(self, batch: list[Record]) -> tuple[list[tuple[JsonObject, Record]], list[tuple[Record, str]]]:
        good, bad = [], []
        for record in batch:
            try:
                good.append((self._row(record), record))
            except ValueError as reason:
                bad.append((record, str(reason)))
        return good, bad

    def _row(self, record: Record) -> JsonObject:
        if record.problem:
            raise ValueError(record.problem)
        found = {name: _value(record.values, column) for name, column in self.mapping.items()}
        for name, value in found.items():
            if value and not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in value):
                raise ValueError(f"{name}: {NOT_DECODED}")
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

    def _reject(self, bad: list[tuple[Record, str]]) -> None:
        """Letters stay the bytes they were where the encoding was not told."""
        if not bad:
            return
        first = self.report.rejected == 0
        with self.rejects.open("w" if first else "a", encoding="utf-8", errors="surrogateescape", newline="") as file:
            names = [name for name in self.columns if name not in ADDED]
            writer = csv.DictWriter(file, [*names, *ADDED], extrasaction="ignore")
            if first:
                writer.writeheader()
            writer.writerows({**record.values, "line": record.line, "reason": reason} for record, reason in bad)
        self.report.rejected += len(bad)


def _value(values: dict[str, str], column: str) -> str | None:
    return column[1:] if column.startswith(SAME_FOR_ALL) else values.get(column)


def store(table: Table, rows: list[dict[str, Any]]) -> Stored:
    """All at once; where the database refuses them as a whole in halves, so that one bad row costs no other."""
    if not rows:
        return Stored()
    try:
        return in_transaction(partial(_insert, table, rows))
    except Busy as busy:
        raise click.ClickException(f"{busy.sentence} Run this again: what is there is passed over.") from None
    except (Problem, DBAPIError) as error:
        if len(rows) == 1:
            reason = error.sentence if isinstance(error, Problem) else f"The database refused it: {_cause(error)}"
            return Stored(refused=[(rows[0], reason)])
    half = len(rows) // 2
    stored = store(table, rows[:half])
    stored.add(store(table, rows[half:]))
    return stored


def _insert(table: Table, rows: list[dict[str, Any]]) -> Stored:
    """Rows whose import_ref is new; what is not there afterwards broke another rule of uniqueness."""
    stored, waiting = Stored(), rows
    while waiting:
        known, seen, later = _refs(table, waiting), dict[str, dict[str, Any]](), list[dict[str, Any]]()
        for row in waiting:
            if row["import_ref"] in known:
                stored.known += 1
            elif row["import_ref"] in seen:
                later.append(row)
            else:
                seen[row["import_ref"]] = row
        if seen:
            insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
            execute(insert(table).on_conflict_do_nothing(), list(seen.values()))
        there = _refs(table, list(seen.values()))
        stored.imported += len(there)
        stored.refused += [(row, _taken(table, row)) for ref, row in seen.items() if ref not in there]
        waiting = later
    return stored


def _refs(table: Table, rows: list[dict[str, Any]]) -> set[str]:
    refs = {row["import_ref"] for row in rows}
    return {row.import_ref for row in fetch(select(table.c.import_ref).where(table.c.import_ref.in_(refs)))}


def _taken(table: Table, row: dict[str, Any]) -> str:
    """Which of its values somebody else has."""
    single = [column for index in _unique(table) if len(index) == 1 for column in index]
    for column in single:
        value = row.get(column.name)
        if value is not None and fetch(select(table.c.id).where(column == value)):
            told = conflicts.get(f"uq_{table.name}_{column.name}")
            return f"{column.name.removesuffix('_key')}: {told.sentence if told else 'Somebody else has this already.'}"
    return "Something of it is there already."


def _unique(table: Table) -> list[list[Column[Any]]]:
    constraints = [list(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    return [*constraints, *(list(index.columns) for index in table.indexes if index.unique)]


def _cause(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


@click.command("import")
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="FIELD=@VALUE is the same for every row.")
@click.option("--source", help="Whose ids these are; the file's name unless told.")
@click.option("--owner", help="The username all rows belong to.")
@click.option("--owner-source", help="The --source under which the people in the owner column were imported.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="FILE.rejects.csv unless told.")
@click.option("--encoding", help="UTF-8, or what the file's first bytes say, unless told; e.g. windows-1257.")
@click.option("--delimiter", default=",", show_default=True, help='What separates the columns; "tab" for tabs.')
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
    encoding: str | None,
    delimiter: str,
    limit: int | None,
) -> None:
    """Import listings, offerings, tasks or users from a CSV file with a header.

    Every row is imported, was there already (the same external_id), or goes into the reject file with line and reason.
    """
    aside = rejects or Path(f"{file.stem}.rejects.csv")
    if aside.resolve() == file.resolve():
        raise click.ClickException("The reject file would overwrite the file that is imported: say another --rejects.")
    with _opened(file, encoding) as lines, _told():
        records = Records(lines, "\t" if delimiter == "tab" else delimiter)
        mapping = _mapping(KINDS[kind], records.names, maps)
        run = Import(KINDS[kind], source or file.stem, mapping, aside, records.names)
        _set_owner(run, owner, owner_source)
        click.echo(run.run(_watched(records, file, lines, limit)))


def _opened(file: Path, encoding: str | None) -> TextIO:
    try:
        return file.open(encoding=encoding or encoding_of(file), errors="surrogateescape", newline="")
    except LookupError:
        raise click.ClickException(f"There is no encoding called {encoding}; try utf-8 or windows-1257.") from None


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a file as a whole is one sentence."""
    try:
        yield
    except (Unusable, OSError) as error:
        raise click.ClickException(str(error)) from None
    except UnicodeError as error:
        raise click.ClickException(f"The file is not in this encoding ({error}). Say another --encoding.") from None
    except TypeError as error:
        raise click.ClickException(f"--delimiter takes one character ({error}).") from None


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


def _watched(records: Records, file: Path, lines: TextIO, limit: int | None) -> Iterator[Record]:
    """The rows, with a bar on a terminal."""
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        for number, record in enumerate(records):
            if number == limit:
                return
            if number % BATCH == 0:
                progress.update(bar, completed=lines.buffer.tell())
            yield record
