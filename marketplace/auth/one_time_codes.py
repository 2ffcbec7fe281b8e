"""One-time codes: six digits derived from a row under our secret, so that nothing stored is a code.

Each guess takes one of a row's five chances first, in a transaction of its own: many guesses at once, from any
number of addresses, get five answers in all.

Apart from the rooms: the codes and signed ids that mail links, SMS and the second factor are built on; it has no table
of its own.
"""

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, execute
from marketplace.core.http import signing
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now

MOST_GUESSES = 5
DIGITS = 6


class Guessable:
    """Mixin: the columns of a row that has a code."""

    nonce: Mapped[str] = mapped_column(String(32))
    guesses: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


def code_of(row: Any) -> str:
    """The six digits of a row: the dynamic truncation of RFC 4226, 5.3, over a keyed digest of its nonce."""
    digest = signing.digest("one-time-code", row.nonce)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


class Ticketed(Protocol):
    """A row that a ticket can be made of."""

    @property
    def id(self) -> int:
        """The primary key."""
        ...

    @property
    def created_at(self) -> datetime:
        """Signed too: an id may come again after a restored backup."""
        ...


class GuessableRow(Protocol):
    """A row of a table with the Guessable columns."""

    id: int
    nonce: str
    guesses: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


R = TypeVar("R", bound=Ticketed)


def ticket(purpose: str, row: Any) -> str:
    """The row's id and our signature of it, for a client to carry. The signature covers `created_at`: after a restored
    backup another row may have the same id."""
    return f"{row.id}.{_seal(purpose, row)}"


def behind(purpose: str, text: str, find: Callable[[int], R | None]) -> R | None:
    """The row a ticket was made of, looked up by `find`; None where the signature is not ours."""
    number, _, seal = text.partition(".")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    row = find(int(number)) if is_number else None
    return row if row is not None and hmac.compare_digest(_seal(purpose, row).encode(), seal.encode()) else None


def _seal(purpose: str, row: Any) -> str:
    return signing.signer(purpose).get_signature(f"{row.id}|{row.created_at.isoformat()}".encode()).decode()


def take_guess(model: type[Base], row_id: int) -> bool:
    """Use up one of the row's guesses; False where none is left, or the row is used or expired."""
    rows = table_of(model).c
    spent = update(table_of(model)).where(rows.id == row_id, rows.used_at.is_(None), rows.expires_at > now())
    return execute(spent.where(rows.guesses < MOST_GUESSES).values(guesses=rows.guesses + 1)) == 1


def use(model: type[Base], row_id: int) -> bool:
    """Mark the row as used; False where it was used before."""
    rows = table_of(model).c
    return execute(update(table_of(model)).where(rows.id == row_id, rows.used_at.is_(None)).values(used_at=now())) == 1


def fits(row: Any, code: str) -> bool:
    """Whether the code is the row's; spaces in it are ignored."""
    return hmac.compare_digest(code_of(row).encode(), code.replace(" ", "").encode())
