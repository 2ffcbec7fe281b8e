"""Which revision a database has and which the code knows; Alembic and Flask-Migrate are loaded when they are asked."""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection

from marketplace.kit.lazy_module import lazy_module

if TYPE_CHECKING:
    import alembic.migration as alembic_migration
    import alembic.script as alembic_script
else:
    alembic_migration = lazy_module("alembic.migration")
    alembic_script = lazy_module("alembic.script")
flask_migrate = lazy_module("flask_migrate")


class Migrations:
    """Stands in `app.extensions["migrate"]`, where Flask-Migrate and migrations/env.py look for these names."""

    def __init__(self, db: SQLAlchemy, directory: str) -> None:
        self.db = db
        self.directory = directory

    @cached_property
    def migrate(self) -> Any:
        """Flask-Migrate's own object: compares types, and changes SQLite's tables by copying them."""
        return flask_migrate.Migrate(db=self.db, directory=self.directory)

    @property
    def configure_args(self) -> dict[str, bool]:
        """What is passed on to Alembic's context."""
        arguments: dict[str, bool] = self.migrate.alembic_ctx_kwargs
        return arguments


def init_app(app: Flask, db: SQLAlchemy, directory: str) -> None:
    """Where this application's migrations are."""
    app.extensions["migrate"] = Migrations(db, directory)


def upgrade(directory: str | None = None) -> None:
    """Bring the current application's database to the newest revision."""
    flask_migrate.upgrade(directory=directory)


@cache
def revisions(directory: str) -> tuple[str, ...]:
    """Those the code knows, the newest first."""
    return tuple(script.revision for script in alembic_script.ScriptDirectory(directory).walk_revisions())


@cache
def heads(directory: str) -> frozenset[str]:
    """What an up-to-date database has: the newest of each branch."""
    return frozenset(alembic_script.ScriptDirectory(directory).get_heads())


def revision_of(connection: Connection) -> str | None:
    """The database's; None where it was never migrated."""
    return alembic_migration.MigrationContext.configure(connection).get_current_revision()


def heads_of(connection: Connection) -> frozenset[str]:
    """The database's; none where it was never migrated."""
    return frozenset(alembic_migration.MigrationContext.configure(connection).get_current_heads())
