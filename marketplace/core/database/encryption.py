"""Secrets at rest: a column type that encrypts, with keys that can be rotated.

The first of ENCRYPTION_KEYS encrypts, all of them decrypt (Fernet: AES-128-CBC with HMAC-SHA256).
To rotate: put a new key in front, restart, run `flask encryption rotate`, then drop the old key.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    LargeBinary,
    Row,
    Table,
    Text,
    bindparam,
    literal,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator

from marketplace.core.database.db import Base, db, execute, fetch, in_transaction

BATCH = 500


class Unreadable(RuntimeError):
    """None of the keys opens this: one that is still needed was taken out of ENCRYPTION_KEYS."""


class Encrypted(TypeDecorator[str]):
    """A text column whose values are Fernet tokens in the database."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """str: what the application sees."""
        return str

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt by the first of ENCRYPTION_KEYS."""
        return None if value is None else _cipher().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt; raises Unreadable where no key opens it."""
        if value is None:
            return None
        try:
            return _cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            raise Unreadable("No key of ENCRYPTION_KEYS opens this value.") from None


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that are kept for a while only: after a rotation that dropped their key they are nothing."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Encrypt by the first of ENCRYPTION_KEYS."""
        return None if value is None else _cipher().encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decrypt; None where no key opens it."""
        try:
            return None if value is None else _cipher().decrypt(bytes(value))
        except InvalidToken:
            return None


def told(lost: dict[str, list[int]]) -> list[str]:
    """A sentence for each column with values that no key opens."""
    some = ((name, len(ids), ", ".join(map(str, ids[:5]))) for name, ids in lost.items())
    return [f"{name}: no key of ENCRYPTION_KEYS opens {count} of its values (ids {ids})" for name, count, ids in some]


@lru_cache(maxsize=1)
def columns() -> list[Column[Any]]:
    """Every mapped column of the types Encrypted and EncryptedBytes."""
    tables = Base.metadata.sorted_tables
    return [column for table in tables for column in table.c if isinstance(column.type, Encrypted | EncryptedBytes)]


def is_key(text: str) -> bool:
    """Whether the text is a Fernet key: 32 bytes in base64url."""
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def is_used(connection: Connection) -> bool:
    """Whether any encrypted column of this database has a value."""
    return any(_batch(column, connection, 0) for column in columns())


def rotate() -> tuple[int, dict[str, list[int]]]:
    """Encrypt everything by the first key; returns how many values, and where there are some that no key opens."""
    counts = {column: _rotate(column) for column in columns()}
    lost = {str(column): found for column, (_, found) in counts.items() if found and isinstance(column.type, Encrypted)}
    return sum(count for count, _ in counts.values()), lost


def unreadable(connection: Connection) -> dict[str, list[int]]:
    """Where values lie that no key opens: column → ids. Reads every value; those kept for a while only do not count."""
    lasting = [column for column in columns() if isinstance(column.type, Encrypted)]
    found = {str(column): [row for row, raw in _values(column, connection) if not _opens(raw)] for column in lasting}
    return {name: ids for name, ids in found.items() if ids}


def unreadable_ends() -> list[str]:
    """The columns whose oldest or newest value no key opens: what a probe can afford to ask."""
    return sorted({row.name for row in fetch(_ends()) if not _opens(row.raw)})


def derived_key(secret: str) -> str:
    """The key where ENCRYPTION_KEYS is missing, which happens outside production only."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"encryption:{secret}".encode()).digest()).decode()


@lru_cache(maxsize=1)
def _ends() -> CompoundSelect[str, object]:
    """Not of columns that may be empty: to find what is in them could mean to read the table."""
    lasting = [column for column in columns() if isinstance(column.type, Encrypted) and not column.nullable]
    orders = [(column, order) for column in lasting for order in (column.table.c.id, column.table.c.id.desc())]
    ends = [(column, select(_raw(column)).order_by(order).limit(1).subquery()) for column, order in orders]
    return union_all(*(select(literal(str(column)).label("name"), end.c.raw) for column, end in ends))


def _rotate(column: Column[Any]) -> tuple[int, list[int]]:
    last, count, lost = 0, 0, list[int]()
    while rows := _batch(column, db.session.connection(), last):
        good = [row.id for row in rows if _opens(row.raw)]
        in_transaction(partial(_encrypt_again, column, good))
        last, count = rows[-1].id, count + len(good)
        lost += [row.id for row in rows if row.id not in good]
    return count, lost


def _values(column: Column[Any], connection: Connection) -> Iterator[tuple[int, object]]:
    last = 0
    while rows := _batch(column, connection, last):
        last = rows[-1].id
        yield from map(tuple, rows)


def _batch(column: Column[Any], connection: Connection, last: int) -> list[Row[int, object]]:
    ids = column.table.c.id
    filled = select(ids, _raw(column)).where(ids > last, column.is_not(None))
    return list(connection.execute(filled.order_by(ids).limit(BATCH)))


def _encrypt_again(column: Column[Any], ids: Sequence[int]) -> None:
    """Compare and set: what somebody else writes meanwhile is under the first key already."""
    table, kept = column.table, _kept_type(column)
    assert isinstance(table, Table)
    for row in fetch(select(table.c.id, _raw(column)).where(table.c.id.in_(ids))):
        same = update(table).where(table.c.id == row.id, type_coerce(column, kept) == bindparam("old", type_=kept))
        anew = _cipher().rotate(_token(row.raw))
        as_kept = anew if isinstance(column.type, EncryptedBytes) else anew.decode()
        execute(same.values({column.name: type_coerce(as_kept, kept)}), {"old": row.raw})


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    """The value as the database has it, undecrypted."""
    return type_coerce(column, _kept_type(column)).label("raw")


def _kept_type(column: Column[Any]) -> LargeBinary | Text:
    return LargeBinary() if isinstance(column.type, EncryptedBytes) else Text()


def _opens(raw: Any) -> bool:
    try:
        _cipher().decrypt(_token(raw))
    except InvalidToken:
        return False
    return True


def _token(raw: Any) -> bytes:
    return raw.encode() if isinstance(raw, str) else bytes(raw)


def _cipher() -> MultiFernet:
    return _cipher_of(tuple(current_app.config["ENCRYPTION_KEYS"]), current_app.config["SECRET_KEY"])


@lru_cache(maxsize=8)
def _cipher_of(keys: tuple[str, ...], secret: str) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys or (derived_key(secret),)])
