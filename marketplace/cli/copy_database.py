"""`flask copy-database`: every row with its id from one database into another, compared by hash."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table as Grid
from sqlalchemy import ColumnElement, Connection, String, Table, func, insert, inspect, select, text
from sqlalchemy.engine import Engine, make_url

import config
from marketplace.cli.audit import findings
from marketplace.cli.errors import in_sentences
from marketplace.core.database import db as database_db
from marketplace.core.database import encryption, migrations
from marketplace.core.database.db import Base, db, writing_options
from marketplace.core.manifest import slices
from marketplace.core.ops.setting_forms import database_address

CHUNK = 5000
SHIPPED = {"categories"}  # rows a fresh database comes with; the source's take their place
NO_KEYS = (
    "The source holds encrypted values, and ENCRYPTION_KEYS is empty. Set it to the keys the target will run with"
    " (make one with: flask encryption new-key), so that the copy can be read there. If the target will run without"
    " ENCRYPTION_KEYS and with this SECRET_KEY, say --same-secret-key. Nothing was written."
)
OTHER_KEYS = (
    "Say what the source was encrypted with: its ENCRYPTION_KEYS in SOURCE_ENCRYPTION_KEYS or, where it had none, its"
    " SECRET_KEY in SOURCE_SECRET_KEY. Nothing was written."
)
R = TypeVar("R", bound=Mapping[str, Any])  # a row
MIGRATIONS = str(config.ROOT / "migrations")


@click.command("copy-database")
@click.argument("source_url")
@click.argument("target_url")
@click.option("--source-keys", envvar="SOURCE_ENCRYPTION_KEYS", default="", help="What the source is encrypted with.")
@click.option("--source-secret-key", envvar="SOURCE_SECRET_KEY", default="", help="The SECRET_KEY of the source.")
@click.option("--same-secret-key", is_flag=True, help="The target has no ENCRYPTION_KEYS, and this SECRET_KEY.")
@with_appcontext
@in_sentences
def copy_database(
    source_url: str, target_url: str, source_keys: str, source_secret_key: str, same_secret_key: bool
) -> None:
    """Copy every row from SOURCE to TARGET, which must be empty, encrypted anew with ENCRYPTION_KEYS, and prove it.

    Keys of the source are better given in SOURCE_ENCRYPTION_KEYS and SOURCE_SECRET_KEY than as options, which other
    people on the machine can see. What was written without ENCRYPTION_KEYS in development needs neither.
    """
    _require_addresses(source_url, target_url)
    _require_there(source_url)
    source, target = _app_for(source_url), _app_for(target_url)
    source.config["ENCRYPTION_KEYS"] = _keys_to_try(source_keys, source_secret_key)
    with source.app_context():
        _require_newest(db.engine)
        _require_keys(db.engine, target, without_keys=same_secret_key)
        with target.app_context():
            _require_empty(db.engine)
            migrations.upgrade(directory=MIGRATIONS)
            into = db.engine
        with _snapshot(db.engine) as reading, _one_transaction(into) as writing:
            counts = {table.name: _copy(table, reading, writing) for table in Base.metadata.sorted_tables}
            set_sequences(writing)
        with _snapshot(db.engine) as left, _snapshot(into) as right:
            same = _compare(counts, left, right)
    with target.app_context():
        found = findings()
    for line in found:
        click.echo(line)
    click.echo("The copy is complete." if same and not found else "The copy is NOT what it should be.")
    raise SystemExit(0 if same and not found else 1)


def _app_for(url: str) -> Flask:
    """Just enough of an application to reach one database and to audit it."""
    app = Flask("marketplace")
    app.extensions["slices"] = slices()
    app.config.update(current_app.config)
    app.config["SQLALCHEMY_DATABASE_URI"] = database_db.normalise_url(url)
    options = database_db.engine_options(app.config["SQLALCHEMY_DATABASE_URI"], threads=2)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    database_db.init_app(app)
    migrations.init_app(app, db, MIGRATIONS)
    return app


def _require_addresses(*urls: str) -> None:
    for name, url in zip(("The source", "The target"), urls, strict=True):
        if not database_address.takes(url):
            raise click.ClickException(f"{name} must be {database_address.words}.")


def _require_there(url: str) -> None:
    """Before it is opened: SQLite makes the file that it does not find."""
    found = make_url(database_db.normalise_url(url))
    if found.get_backend_name() == "sqlite" and not Path(found.database or "").is_file():
        raise click.ClickException(f"There is no database at {found.database}.")


def _require_newest(engine: Engine) -> None:
    newest = migrations.revisions(MIGRATIONS)[0]
    with engine.connect() as connection:
        present = migrations.revision_of(connection)
    if present != newest:
        raise click.ClickException(f"The source is at revision {present}, not {newest}: migrate it first.")


def _keys_to_try(source_keys: str, source_secret_key: str) -> list[str]:
    """The first encrypts the copy; the others only read the source. Raises ClickException for what is no key."""
    given = [key.strip() for key in source_keys.split(",") if key.strip()]
    if not all(map(encryption.is_key, given)):
        raise click.ClickException("SOURCE_ENCRYPTION_KEYS must hold keys as ENCRYPTION_KEYS does, comma-separated.")
    own, other = current_app.config["SECRET_KEY"], source_secret_key or config.INSECURE_SECRET
    derived = [encryption.derived_key(secret) for secret in (own, other, config.INSECURE_SECRET)]
    return [*current_app.config["ENCRYPTION_KEYS"], derived[0], *given, *derived[1:]]


def _require_keys(engine: Engine, target: Flask, *, without_keys: bool) -> None:
    """Before anything is written: all that is encrypted can be read, and will be by whoever runs on the copy."""
    with engine.connect() as connection:
        if not encryption.is_used(connection):
            return
        lost = encryption.unreadable(connection)
    if not target.config["ENCRYPTION_KEYS"] and not without_keys:
        raise click.ClickException(NO_KEYS)
    if lost:
        raise click.ClickException(f"{'; '.join(encryption.told(lost))}. {OTHER_KEYS}")


def _require_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names()) & set(Base.metadata.tables) - SHIPPED
        full = [name for name in sorted(there) if connection.scalar(select(func.count()).select_from(text(name)))]
    if full:
        raise click.ClickException(f"The target is not empty: {', '.join(full)} hold rows. Give it an empty database.")


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """Every table as of one moment; on SQLite writers wait meanwhile."""
    is_sqlite = engine.dialect.name == "sqlite"
    options: dict[str, Any] = {"writing": True} if is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        _lift_timeouts(connection)
        yield connection


@contextmanager
def _one_transaction(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(**writing_options(engine)) as connection, connection.begin():
        _lift_timeouts(connection)
        yield connection


def _lift_timeouts(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    """All rows in chunks; a category's parent goes before it."""
    if table.name in SHIPPED:
        for key in _keys(table, writing):
            writing.execute(table.delete().where(table.c.key == key))
    count = 0
    for rows in _chunks(table, reading):
        ordered = _parents_first(rows) if table.name in SHIPPED else rows
        writing.execute(insert(table), ordered)
        count += len(rows)
    return count


def _keys(table: Table, connection: Connection) -> list[str]:
    """Children before their parents."""
    rows = [dict(row._mapping) for row in connection.execute(select(table))]
    return [row["key"] for row in reversed(_parents_first(rows))]


def _parents_first(rows: list[R]) -> list[R]:
    parents = {row["key"]: row["parent_key"] for row in rows}

    def depth(key: str | None) -> int:
        return 0 if key is None else 1 + depth(parents.get(key))

    return sorted(rows, key=lambda row: depth(row["key"]))


def _chunks(table: Table, connection: Connection) -> Iterator[list[dict[str, object]]]:
    """Rows without generated columns, in the order of the primary key."""
    statement = select(*_columns(table)).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=CHUNK).execute(statement)
    for part in result.partitions(CHUNK):
        yield [dict(row._mapping) for row in part]


def _columns(table: Table) -> list[ColumnElement[object]]:
    return [column for column in table.c if column.computed is None]


def set_sequences(connection: Connection) -> None:
    """The next id on Postgres comes after the highest; SQLite counts by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        if isinstance(table.c.id.type, String):
            continue
        highest = f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name})"
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {highest}, false)"))


def _compare(counts: dict[str, int], left: Connection, right: Connection) -> bool:
    grid = Grid("table", "rows", "source", "target", "")
    same = True
    for table in Base.metadata.sorted_tables:
        ours, theirs = digest(table, left), digest(table, right)
        same = same and ours == theirs
        grid.add_row(table.name, str(counts[table.name]), ours[:12], theirs[:12], "ok" if ours == theirs else "DIFFERS")
    Console().print(grid)
    return same


def digest(table: Table, connection: Connection) -> str:
    """A hash over every row in the order of its key; moments and numbers read the same on both databases."""
    hashed = hashlib.sha256()
    for rows in _chunks(table, connection):
        for row in rows:
            hashed.update(repr(tuple(row.values())).encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()
