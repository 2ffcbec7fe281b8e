"""Alembic on the application's own engine: one transaction a migration on both databases."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import click
from alembic import context
from flask import current_app
from sqlalchemy.exc import DBAPIError

from marketplace.core.database.db import writing_options

config = context.config
db = current_app.extensions["migrate"].db


# FTS5 tables (with those SQLite keeps beside them), search columns and their indexes: migrations write them by hand.
BY_HAND = re.compile(r"^(listings|tasks|offerings|users)_search|^ix_\w+_search$|^search_vector$")


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares it with the models."""
    return not (name and kind in {"table", "index", "column"} and BY_HAND.search(name))


def render_item(kind: str, thing: Any, _context: object) -> str | Literal[False]:
    """Our column types as those that the database has: a migration imports nothing of the application."""
    ours = kind == "type" and type(thing).__module__.startswith("marketplace.")
    return f"sa.{thing.impl!r}" if ours else False


def name_of_database() -> str:
    """Which one, without the password."""
    return db.engine.url.set(query={}).render_as_string(hide_password=True)


def say(sentence: str) -> None:
    """To whoever asked for `flask db upgrade` or `downgrade`; others have words of their own."""
    asked = click.get_current_context(silent=True)
    if asked is not None and asked.command.name in {"upgrade", "downgrade"} and not context.is_offline_mode():
        click.echo(sentence)


def connect() -> Any:
    """A writing connection; one sentence where there is no database."""
    try:
        return db.engine.connect().execution_options(**writing_options(db.engine))
    except DBAPIError as error:
        why = str(error.orig).strip().partition("\n")[0]
        raise click.ClickException(f"{name_of_database()} cannot be reached: {why}.") from None


@contextmanager
def tables_made_anew(connection: Any) -> Iterator[None]:
    """SQLite copies a table to change its constraints, and does not drop the old one while rows of others refer to it:
    so these are not enforced meanwhile, but checked after each migration (https://sqlite.org/lang_altertable.html)."""
    if connection.dialect.name != "sqlite":
        yield
        return
    own = connection.connection.driver_connection
    own.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()  # inside a transaction it would do nothing, and this connection is used again
        own.execute("PRAGMA foreign_keys=ON")


def check_references(revision: str) -> None:
    """Raises ClickException where a row refers to nothing now; the migration is rolled back."""
    connection = context.get_context().connection
    if connection is not None and connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if lost:
            tables = ", ".join(sorted({row[0] for row in lost}))
            raise click.ClickException(
                f"{revision}: {len(lost)} rows refer to nothing, in {tables}. Nothing is changed."
            )


def run() -> None:
    """Apply what is asked on a writing connection, and say each step."""
    steps: list[str] = []

    def told(*, step: Any, **_: Any) -> None:
        check_references(step.up_revision_id)
        steps.append(step.up_revision_id)
        say(f"  {'applied' if step.is_upgrade else 'taken back'}: {step.up_revision_id} {step.up_revision.doc}")

    with connect() as connection, tables_made_anew(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_name=include_name,
            render_item=render_item,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transaction_per_migration=True,
            on_version_apply=told,
        )
        say(f"Database: {name_of_database()}")
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        now = context.get_context().get_current_revision()
    say(f"{len(steps)} steps; it is at {now} now." if steps else f"Nothing to do: it is at {now}.")


run()
