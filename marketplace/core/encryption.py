"""Secrets at rest: a column type that encrypts, with keys that can be rotated.

The first of ENCRYPTION_KEYS encrypts, all of them decrypt (Fernet: AES-128-CBC with HMAC-SHA256).
To rotate: put a new key in front, restart, run `flask encryption rotate`, then drop the old key.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache, partial

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import Column, LargeBinary, Table, Text, bindparam, select, type_coerce, update
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from marketplace.core.db import Base, execute, fetch, in_transaction

BATCH = 500


class Unreadable(RuntimeError):
    """None of the keys opens this: one that is still needed was taken out of ENCRYPTION_KEYS."""


class Encrypted(TypeDecorator[str]):
    """Text that is readable in the application and nowhere else."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """What the application sees."""
        return str

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypted by the first key."""
        return None if value is None else _cipher().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Raises Unreadable."""
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
        """Encrypted by the first key."""
        return None if value is None else _cipher().encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """None where no key opens it."""
        try:
            return None if value is None else _cipher().decrypt(bytes(value))
        except InvalidToken:
            return None


def rotate() -> int:
    """Encrypt everything by the first key; returns how many values."""
    columns = [column for table in Base.metadata.sorted_tables for column in table.c]
    return sum(_rotate(column) for column in columns if isinstance(column.type, Encrypted))


def _rotate(column: Column[str]) -> int:
    table, last, count = column.table, 0, 0
    assert isinstance(table, Table)
    while ids := _next_ids(table, column, last):
        in_transaction(partial(_encrypt_again, table, column, ids))
        last, count = ids[-1], count + len(ids)
    return count


def _next_ids(table: Table, column: Column[str], last: int) -> list[int]:
    filled = select(table.c.id).where(table.c.id > last, column.is_not(None))
    return [row.id for row in fetch(filled.order_by(table.c.id).limit(BATCH))]


def _encrypt_again(table: Table, column: Column[str], ids: Sequence[int]) -> None:
    """Compare and set: what somebody else writes meanwhile is under the first key already."""
    raw = type_coerce(column, Text).label("raw")
    for row in fetch(select(table.c.id, raw).where(table.c.id.in_(ids))):
        same = update(table).where(table.c.id == row.id, type_coerce(column, Text) == bindparam("old"))
        anew = _cipher().rotate(row.raw.encode()).decode()
        execute(same.values({column.name: type_coerce(anew, Text)}), {"old": row.raw})


def _cipher() -> MultiFernet:
    return _cipher_of(tuple(current_app.config["ENCRYPTION_KEYS"]), current_app.config["SECRET_KEY"])


@lru_cache(maxsize=8)
def _cipher_of(keys: tuple[str, ...], secret: str) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys or (_derived(secret),)])


def _derived(secret: str) -> str:
    """Outside production, where ENCRYPTION_KEYS may be missing."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"encryption:{secret}".encode()).digest()).decode()
