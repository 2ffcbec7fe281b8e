"""`Idempotency-Key`: the same write sent twice is done once, and both get the first answer.

The key's row is written in the transaction of the work itself: it exists exactly when the work is
done. Of two at once the second waits for the first at the unique constraint and then answers what
the first answered. A write of money that talks to the outside between two transactions takes a lease on
its key first: while it runs, the same key is a 409.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import ColumnElement, ForeignKey, Index, Row, String, UniqueConstraint, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, answer_conflict, execute, fetch, in_transaction, retry_conflict
from marketplace.core.database.encryption import EncryptedBytes
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, Problem
from marketplace.kit.json_types import JsonObject

KEPT = timedelta(hours=48)
LEASE = timedelta(seconds=60)  # longer than any route that asks a provider takes
LONGEST_KEY = 255


class InFlight(Conflict):
    """409: a request with this key is being handled."""

    code = "in_flight"
    sentence = "The same request is being handled. Ask again in a moment."


@answer_conflict("uq_idempotency_keys_user_id_route_key", InFlight())
@retry_conflict("uq_idempotency_keys_user_id_route_key")
class IdempotencyKey(Base):
    """The answer of one write of one person under their Idempotency-Key; a lease while it is being made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        UniqueConstraint("user_id", "route", "key"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    route: Mapped[str] = mapped_column(String(300))
    key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    location: Mapped[str | None] = mapped_column(String(300))
    body: Mapped[bytes | None] = mapped_column(EncryptedBytes)
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class NoKey(Problem):
    """400: requests that move money need an Idempotency-Key, so that a repeat is known as one."""

    code = "no_idempotency_key"
    sentence = "Send an Idempotency-Key header: a new random text for each payment, the same when you repeat it."


class ShownOnce(Conflict):
    """409: the first answer held a secret, which is not stored and cannot be repeated."""

    code = "shown_once"
    sentence = "This was done already, and its answer is shown once only. If you did not see it, begin again."


def once(
    user_id: int,
    work: Callable[[], Response],
    *,
    transaction: bool = True,
    lease: bool = False,
    no_replay: bool = False,
) -> Response:
    """Do `work`, or answer what it answered under this key before.

    In the edge's `transaction` (the one that runs) key and work are one: of two at once the second waits for the first.
    Without one the work commits by itself in steps: of two at once both may do it, but both answer what the first to
    finish answered; with a `lease` whoever has it does the work and the others are told to wait (InFlight, 409). What
    did not come to its end is done again, so it has to be safe to repeat. With `no_replay` the answer is not kept, and
    a repetition is ShownOnce (409). Raises Invalid (422) for a key used for another body.
    """
    key = _Key.of_request(user_id)
    if lease:
        return _leased(key, work)
    stored = key.stored()
    if stored is not None:
        return _replay(stored, key)
    if not transaction:
        response = work()
        return in_transaction(lambda: _first_to_finish(key, response)) if response.status_code < 400 else response
    key.write()
    response = work()
    key.change(**_answer(response, no_replay=no_replay))
    return response


def keep(user_id: int, response: Response) -> None:
    """From now on the request's key is answered by this response, in a transaction of its own."""
    in_transaction(lambda: _Key.of_request(user_id).change(**_answer(response)))


def _leased(key: "_Key", work: Callable[[], Response]) -> Response:
    """A lease that is over means that somebody died."""
    stored = in_transaction(lambda: _take(key))
    if stored is not None:
        return _replay(stored, key)
    try:
        response = work()
    except BaseException:
        in_transaction(key.forget)
        raise
    in_transaction(lambda: key.change(**_answer(response)))
    return response


def _take(key: "_Key") -> Row[Any] | None:
    """The stored answer, or None and the lease; raises InFlight."""
    known, until = key.stored(), now() + LEASE
    if known is None:
        key.write(leased_until=until)
        return None
    if known.body_hash != key.body_hash or known.leased_until is None:
        return known
    unchanged = IdempotencyKey.leased_until == known.leased_until
    if known.leased_until > now() or not key.change(unchanged, leased_until=until):
        raise InFlight()
    return None


def _first_to_finish(key: "_Key", response: Response) -> Response:
    stored = key.stored()
    if stored is not None:
        return _replay(stored, key)
    key.write(**_answer(response))
    return response


def demand() -> None:
    """Raises NoKey (400) where the request has none."""
    if "Idempotency-Key" not in request.headers:
        raise NoKey()


def sweep() -> None:
    """Delete answers older than two days."""
    in_transaction(lambda: execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT)))


@dataclass(frozen=True, slots=True)
class _Key:
    """The key of the running request: whose and of which route it is, and the hash of the body it came with."""

    name: dict[str, Any]
    body_hash: str

    @classmethod
    def of_request(cls, user_id: int) -> "_Key":
        """Raises Invalid (422)."""
        key = request.headers["Idempotency-Key"]
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            raise Invalid.field("Idempotency-Key", f"A key is 1 to {LONGEST_KEY} printable characters.")
        return cls({"user_id": user_id, "route": f"{request.method} {request.path}"[:300], "key": key}, _body_hash())

    def stored(self) -> Row[Any] | None:
        """What is known of it."""
        rows = fetch(select(IdempotencyKey.__table__).where(*self._mine()))
        return rows[0] if rows else None

    def write(self, **values: Any) -> None:
        """Take it; of two at once one meets the unique constraint."""
        execute(insert(IdempotencyKey), {**self.name, "body_hash": self.body_hash, **values})

    def change(self, *only: ColumnElement[bool], **values: Any) -> int:
        """How many rows it touched."""
        return execute(update(IdempotencyKey).where(*self._mine(), *only).values(**values))

    def forget(self) -> None:
        """As if it had not come."""
        execute(delete(IdempotencyKey).where(*self._mine()))

    def _mine(self) -> list[ColumnElement[bool]]:
        return [getattr(IdempotencyKey, column) == value for column, value in self.name.items()]


def _answer(response: Response, *, no_replay: bool = False) -> JsonObject:
    body = None if no_replay else response.get_data()
    location = response.headers.get("Location")
    return {"status": response.status_code, "location": location, "body": body, "leased_until": None}


def _body_hash() -> str:
    """Under our secret, as a body may hold a password. Of the files themselves in a multipart body: its
    boundary is another one each time it is sent."""
    digest = hashlib.blake2b(digest_size=32, key=hashlib.sha256(current_app.config["SECRET_KEY"].encode()).digest())
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data())
        return digest.hexdigest()
    for part, file in sorted(request.files.items(multi=True), key=itemgetter(0)):
        digest.update(f"{part}:{hashlib.sha256(file.stream.read()).hexdigest()};".encode())
        file.stream.seek(0)
    return digest.hexdigest()


def _replay(stored: Row[Any], key: _Key) -> Response:
    if stored.body_hash != key.body_hash:
        raise Invalid.field("Idempotency-Key", "This key was used for another request. Make a new one.")
    if stored.body is None:
        raise ShownOnce()
    response = Response(stored.body, stored.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    if stored.location:
        response.headers["Location"] = stored.location
    return response
