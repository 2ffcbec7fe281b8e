"""What the databases answer under load or in trouble, and what a client is told of each.

Postgres: https://www.postgresql.org/docs/current/errcodes-appendix.html; a whole class where it is named by two
characters. SQLite: https://sqlite.org/rescode.html; an extended code counts as its primary one. Whatever is not named
here is a mistake of ours (a 500) or breaks a constraint (core/database/db.py).
"""

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, OperationalError


@dataclass(frozen=True, slots=True)
class Trouble:
    """A 503 with this Retry-After; `again` runs the transaction again first, `alarm` needs somebody who mends it."""

    name: str
    seconds: int = 1
    again: bool = False
    alarm: bool = False


POSTGRES = {
    "40001": Trouble("serialization failure", again=True),
    "40P01": Trouble("deadlock", again=True),
    "40003": Trouble("nobody knows whether the statement was done"),
    "08": Trouble("the connection is lost or refused", seconds=5),
    "25006": Trouble("this server only reads, after a failover for example", seconds=5),
    "25P03": Trouble("idle in a transaction for too long"),
    "25P04": Trouble("the transaction took too long"),
    "53": Trouble("no disk, memory or connection is left", seconds=5, alarm=True),
    "53300": Trouble("too many connections", seconds=5),
    "55P03": Trouble("a lock was not free in time"),
    "57": Trouble("cancelled, or the server stops or starts", seconds=5),
    "57014": Trouble("the statement took too long"),
    "58": Trouble("an error of the disk or the system", seconds=30, alarm=True),
    "F0": Trouble("the server's files are not in order", seconds=30, alarm=True),
}
UNREACHABLE = Trouble("Postgres does not answer", seconds=5)
SQLITE = {
    3: Trouble("SQLITE_PERM: no access", seconds=30, alarm=True),
    5: Trouble("SQLITE_BUSY: another process writes", again=True),
    6: Trouble("SQLITE_LOCKED: another connection writes", again=True),
    7: Trouble("SQLITE_NOMEM: no memory is left", seconds=5, alarm=True),
    8: Trouble("SQLITE_READONLY: the file cannot be written", seconds=30, alarm=True),
    9: Trouble("SQLITE_INTERRUPT: interrupted"),
    10: Trouble("SQLITE_IOERR: an error of the disk", seconds=30, alarm=True),
    13: Trouble("SQLITE_FULL: the disk is full", seconds=30, alarm=True),
    14: Trouble("SQLITE_CANTOPEN: the file cannot be opened", seconds=30, alarm=True),
    15: Trouble("SQLITE_PROTOCOL: others began to read and write at the same moment", again=True),
    17: Trouble("SQLITE_SCHEMA: the tables were changed meanwhile", again=True),
}


def sql_state(error: BaseException) -> str | None:
    """Postgres' SQLSTATE, five characters; None on SQLite."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def trouble_of(error: BaseException) -> Trouble | None:
    """The known trouble behind an error of the driver; None where it is none of them."""
    if not isinstance(error, DBAPIError):
        return None
    if state := sql_state(error):
        return POSTGRES.get(state) or POSTGRES.get(state[:2])
    if type(error.orig).__module__.startswith("psycopg"):
        return UNREACHABLE if isinstance(error, OperationalError) or error.connection_invalidated else None
    return SQLITE.get((getattr(error.orig, "sqlite_errorcode", None) or 0) & 0xFF)
