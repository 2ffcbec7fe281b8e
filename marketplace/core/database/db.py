"""The database: typed base, column types, the two dialects' settings and the one place that commits."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

import orjson
import structlog
from flask import Flask, current_app, has_app_context
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Executable, Integer, MetaData, Row, Select, Text, select
from sqlalchemy.engine import Dialect, Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator
from werkzeug.sansio.response import Response as SansResponse

from marketplace.core.database import postgres, sqlite
from marketplace.core.database.bulkhead import RESERVED, TurnPool
from marketplace.core.database.errors import sql_state, trouble_of
from marketplace.core.ops.settings import ConfigurationError
from marketplace.kit.clock import as_utc, now
from marketplace.kit.errors import Busy, Conflict, Duplicate, NotFound, Problem
from marketplace.kit.json_types import JsonObject

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[object, ...]]  # of a table that only the caller knows: columns by their names
M = TypeVar("M", bound="Base")
COMMA = "\x1f"  # for a comma inside a value of a list: the unit separator, which nobody types
BigInt = BigInteger().with_variant(Integer, "sqlite")
ATTEMPTS = 3
CONNECTION_PATIENCE = 5.0  # seconds a request waits for its turn before it is told that we are busy
CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC on the way in; SQLite has no zones, so it loses it there."""
        if value is None:
            return None
        moment = as_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Postgres answers aware moments already; a Python call a value would cost hot lists."""
        parse: Any = self.impl_instance.dialect_impl(dialect).result_processor(dialect, coltype)
        if dialect.name != "sqlite" or parse is None:
            return parse
        return lambda value: None if value is None else parse(value).replace(tzinfo=UTC)


class CommaList(TypeDecorator[list[str]]):
    """Short texts kept as ",a,b," so that `contains(listed("a"))` finds one of them on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> str:
        """["a", "b"] → ",a,b,": commas at both ends make every word findable by one LIKE."""
        return f",{','.join(map(_without_comma, value))}," if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[str]:
        """ ",a,b," → ["a", "b"]."""
        return [one.replace(COMMA, ",") for one in value.strip(",").split(",")] if value else []


def listed(value: str) -> str:
    """A value as it stands in a CommaList: "a" → ",a,"."""
    return f",{_without_comma(value)},"


def _without_comma(value: str) -> str:
    return value.replace(",", COMMA)


class Base(DeclarativeBase):
    """Declarative base; moments are aware UTC, integers 64 bits."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime, int: BigInt}


class Stamped:
    """`created_at`, and `updated_at` as of the last `touch()`."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)

    def touch(self) -> None:
        """Set `updated_at`; for edits and moves of people, not for counters."""
        self.updated_at = now()


class InUse(Conflict):
    """409: a foreign key refused the write."""

    code = "in_use"
    sentence = "Something else still depends on this, or what it depends on is gone."


log = structlog.get_logger(__name__)
db = SQLAlchemy(metadata=Base.metadata)
conflicts: dict[str, Problem] = {}
"""Unique constraint → the sentence its breaking deserves."""
_retried: set[str] = set()


def answer_conflict(constraint: str, problem: Problem) -> Callable[[type[M]], type[M]]:
    """A model's: whoever breaks this unique constraint is told so."""

    def register(model: type[M]) -> type[M]:
        conflicts[constraint] = problem
        return model

    return register


def retry_conflict(*constraints: str) -> Callable[[type[M]], type[M]]:
    """A model's: breaking these unique constraints only means that somebody was faster; run again, the row is found."""

    def register(model: type[M]) -> type[M]:
        _retried.update(constraints)
        return model

    return register


def save(thing: T) -> T:
    """Add and flush, so that a broken constraint shows at the line that caused it."""
    db.session.add(thing)
    db.session.flush()
    return thing


def fetch(statement: Executable, params: Mapping[str, Any] | None = None) -> list[Row[Any]]:
    """Rows of a Core select on the session's connection: inside a transaction if one is open."""
    return list(db.session.connection().execute(statement, params or {}).all())


def fetch_as(kind: type[T], statement: Executable, params: Mapping[str, Any] | None = None) -> list[T]:
    """`fetch` where `kind`, a Protocol, names the columns that the statement chooses."""
    return cast("list[T]", fetch(statement, params))


def first_as(kind: type[T], statement: Executable, params: Mapping[str, Any] | None = None) -> T | None:
    """The first of these rows; None where there is none."""
    return next(iter(fetch_as(kind, statement, params)), None)


def one(statement: Select[T], what: str) -> T:
    """The one thing a select through the caller's eyes finds; raises NotFound naming `what`."""
    found = db.session.scalar(statement)
    if found is None:
        raise NotFound.of(what)
    return found


def locked(statement: Select[T]) -> Select[T]:
    """SELECT … FOR UPDATE, read anew into objects that are loaded already; on SQLite the transaction is the lock."""
    return statement.with_for_update().execution_options(populate_existing=True)


def locked_row(model: type[T], thing_id: int) -> T:
    """The row of this id as it is now, locked until the transaction ends; raises NoResultFound."""
    return db.session.scalars(locked(select(model).filter_by(id=thing_id))).one()


def counted(statement: Executable) -> dict[Any, int]:
    """A statement of two columns, key and count → {key: count}."""
    return {key: count for key, count in map(tuple, fetch(statement))}  # noqa: C416


def execute(statement: Executable, params: Any = None) -> int:
    """A Core write; returns how many rows it touched."""
    return db.session.connection().execute(statement, params).rowcount


def in_transaction(work: Callable[[], T]) -> T:
    """Run `work` in one writing transaction and commit; the whole again, at most 3 times, where
    the database says another writer was in the way. Raises RuntimeError inside another one, which would be lost."""
    if db.session.info.get("writing"):
        raise RuntimeError("a transaction inside a transaction: call the service function itself, the edge commits")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _begin_writing()
            db.session.info["writing"] = True
            result = work()
            db.session.commit()
        except (DBAPIError, StaleDataError, PoolTimeout) as error:
            db.session.rollback()
            if attempt == ATTEMPTS or not _is_retryable(error):
                raise as_problem(error) from error
            continue
        except BaseException:
            db.session.rollback()
            raise
        finally:
            db.session.info.pop("writing", None)
        _run_after_commit()
        return result
    raise AssertionError("unreachable")


def release_connection() -> None:
    """Give back what a read has taken, before work that is slow without the database (a hash, a picture, a call):
    connections are few. Objects are read anew afterwards. Raises RuntimeError in a transaction, which would be lost."""
    if not has_app_context():
        return
    if db.session.info.get("writing"):
        raise RuntimeError("slow work inside a transaction: do it before, or between two")
    db.session.rollback()


def after_commit(hint: Callable[[], None]) -> None:
    """Call `hint` once the running transaction is committed; forgotten when it is rolled back."""
    db.session.info.setdefault("after_commit", []).append(hint)


def _run_after_commit() -> None:
    for hint in db.session.info.pop("after_commit", []):
        try:
            hint()
        except Exception:  # what is committed is done, whoever cannot be told of it
            log.exception("after a commit")


def _begin_writing() -> None:
    db.session.rollback()  # a read before us may hold an autocommit connection
    db.session.info.pop("after_commit", None)
    db.session.connection(execution_options=writing_options(db.engine))


def writing_options(engine: Engine) -> JsonObject:
    """Execution options that turn an autocommit connection into a transaction."""
    if engine.dialect.name == "sqlite":
        return {"writing": True}
    return {"isolation_level": "READ COMMITTED"}


def _is_retryable(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return _broken_constraint(error) in _retried
    trouble = trouble_of(error)
    return trouble is not None and trouble.again


def as_problem(error: Exception) -> Exception:
    """What to tell of an error of the database; the error itself where nobody but us can do anything."""
    if isinstance(error, StaleDataError):
        return Conflict()
    if isinstance(error, IntegrityError):
        return conflicts.get(_broken_constraint(error)) or (Duplicate() if _is_unique(error) else InUse())
    if isinstance(error, PoolTimeout):
        return Busy()
    trouble = trouble_of(error)
    if trouble is None:
        return error
    if trouble.alarm:
        log.error("the database is in trouble", trouble=trouble.name, error=str(getattr(error, "orig", error)).strip())
    return Busy(seconds=trouble.seconds)


def _answer(error: Exception) -> ResponseReturnValue | SansResponse:
    """What a view or a read of its person ran into; what is nobody's trouble goes on as it is, to be recorded."""
    problem = as_problem(error)
    if problem is error:
        raise error
    return current_app.handle_user_exception(problem)


def _is_unique(error: IntegrityError) -> bool:
    return sql_state(error) == "23505" or "UNIQUE" in str(error.orig)


def _broken_constraint(error: IntegrityError) -> str:
    """SQLite names columns ("UNIQUE constraint failed: a.x, a.y"), Postgres the constraint."""
    diag = getattr(error.orig, "diag", None)
    if diag is not None:
        return str(diag.constraint_name)
    columns = [c.strip() for c in str(error.orig).partition("failed:")[2].split(",")]
    table = columns[0].partition(".")[0]
    return "_".join(["uq", table, *(c.partition(".")[2] for c in columns)])


def engine_options(url: str, threads: int) -> dict[str, object]:
    """Pool and driver settings of either dialect: a connection for each thread, and the background's."""
    size = {"pool_size": threads + RESERVED, "max_overflow": 0, "pool_timeout": CONNECTION_PATIENCE}
    pool = {**size, "poolclass": TurnPool}
    given = make_url(url)
    if given.get_backend_name() == "sqlite":
        return {**pool, "module": sqlite.driver, "json_deserializer": orjson.loads, "connect_args": {"timeout": 5}}
    timeouts = "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
    # databases live on SSDs: the default of 4 makes the planner read whole tables to count
    ours = f"{timeouts} -c random_page_cost=1.1"
    return {
        **pool,
        "json_deserializer": orjson.loads,
        "isolation_level": "AUTOCOMMIT",
        # what DATABASE_URL says stands after ours, and wins, but for the zone that moments are read in
        "connect_args": {
            "connect_timeout": given.query.get("connect_timeout", 5),
            "options": " ".join([ours, *given.normalized_query.get("options", ()), "-c timezone=UTC"]),
        },
    }


def normalise_url(url: str) -> str:
    """postgres:// and postgresql:// mean psycopg 3 here; a relative path to SQLite's file starts where you stand."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and not rest.startswith(("//", "/:memory:", "/file:")):
        return f"sqlite:///{Path(rest[1:]).absolute()}"
    return url


def init_app(app: Flask) -> None:
    """Bind the database to the application."""
    db.init_app(app)
    app.register_error_handler(PoolTimeout, _answer)
    app.register_error_handler(DBAPIError, _answer)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _make_folder(Path(db.engine.url.database or "").parent)
            sqlite.prepare(db.engine)
            if said := sqlite.warning():
                log.warning("sqlite", warning=said)
        else:
            postgres.prepare(db.engine)


def _make_folder(folder: Path) -> None:
    """SQLite writes files of its own beside the database; raises ConfigurationError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"DATABASE_URL: the folder {folder} cannot be made: {error.strerror}.") from None
    if not os.access(folder, os.W_OK):
        raise ConfigurationError(f"DATABASE_URL: the folder {folder} must be one that this user may write to.")
