"""Alembic on the application's own engine: one transaction a migration on both databases."""

from alembic import context
from flask import current_app

from marketplace.core.db import writing_options

config = context.config
db = current_app.extensions["migrate"].db


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Search indexes are made by hand in migrations: FTS5 tables and expression indexes."""
    return not (name and "_search" in name and kind in {"table", "index"})


def run() -> None:
    """Apply what is asked on a writing connection."""
    with db.engine.connect().execution_options(**writing_options(db.engine)) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_name=include_name,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
