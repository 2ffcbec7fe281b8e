"""What a command says where it cannot work: one sentence and a status that is not 0, never a traceback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext
from redis.exceptions import RedisError
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import config
import marketplace.core.ops.garbage_collection  # noqa: F401 before all that is large
from marketplace.core.database import migrations
from marketplace.core.database.db import db
from marketplace.core.database.encryption import Unreadable
from marketplace.kit.errors import Problem

P = ParamSpec("P")
T = TypeVar("T")
MIGRATIONS = str(config.ROOT / "migrations")
UPGRADE = "run: flask db upgrade"


def in_sentences(command: Callable[P, T]) -> Callable[P, T]:
    """The command, whose errors end as a ClickException."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        with errors_as_sentences():
            return command(*args, **kwargs)

    return told


def on_database(command: Callable[P, T]) -> Callable[P, T]:
    """Like `with_appcontext`; the database has to be there, and as new as the code."""

    @with_appcontext
    @in_sentences
    @wraps(command)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        require_migrated(db.engine)
        return command(*args, **kwargs)

    return checked


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """What somebody at the command line can do something about; anything else is a bug, and shown as one."""
    try:
        yield
    except Problem as error:
        raise click.ClickException(error.sentence) from error
    except Unreadable as error:
        raise click.ClickException(str(error)) from error
    except UnicodeEncodeError as error:
        raise click.ClickException(f"This is not written in UTF-8: {ascii(error.object)[:80]}.") from error
    except (DatabaseError, InterfaceError) as error:
        raise click.ClickException(f"The database cannot be used: {_first_line(error.orig)}.") from error
    except (ArgumentError, NoSuchModuleError) as error:
        raise click.ClickException(f"This is no address of a database: {_first_line(error)}.") from error
    except PoolTimeout as error:
        raise click.ClickException("The database has no connection free. Try again later.") from error
    except RedisError as error:
        raise click.ClickException(f"REDIS_URL names a Redis that does not answer: {_first_line(error)}.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'The system said'}: {error.strerror or error}.") from error


def require_migrated(engine: Engine) -> None:
    """Raises ClickException where the database is empty, older or newer than the code."""
    require_not_newer(engine)
    present, newest = _revision(engine), migrations.revisions(MIGRATIONS)[0]
    if present is None:
        raise click.ClickException(f"The database {_name(engine)} has no tables yet; {UPGRADE}")
    if present != newest:
        raise click.ClickException(f"The database {_name(engine)} is at {present}, the code at {newest}; {UPGRADE}")


def require_not_newer(engine: Engine) -> None:
    """Raises ClickException where a later version of the code migrated the database."""
    present = _revision(engine)
    if present is not None and present not in migrations.revisions(MIGRATIONS):
        newest = migrations.revisions(MIGRATIONS)[0]
        raise click.ClickException(
            f"The database {_name(engine)} is at {present}, which this code does not know (it ends at {newest}): "
            "run the version that migrated it, or a later one."
        )


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return migrations.revision_of(connection)


def _name(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".:")
