"""`Idempotency-Key`: the same write sent twice is done once, and both get the first answer.

The key's row is written in the transaction of the work itself: it exists exactly when the work is
done. Of two at once the second waits for the first at the unique constraint and then answers what
the first answered. A write of money that talks to the outside between two transactions takes a lease on
its key first: while it runs, the same key is a 409.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base, conflicts, execute, fetch, found_next_time, in_transaction
from marketplace.core.encryption import EncryptedBytes
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, Invalid, Problem
from marketplace.kit.json_types import JsonObject

KEPT = timedelta(hours=48)
LEASE = timedelta(seconds=60)  # longer than any route that asks a provider takes
LONGEST_KEY = 255


class IdempotencyKey(Base):
    """One answered write of one person."""

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


class InFlight(Conflict):
    """The first one is not through yet."""

    code = "in_flight"
    sentence = "The same request is being handled. Ask again in a moment."


class NoKey(Problem):
    """Money is moved once only, so a client has to say which requests are the same."""

    code = "no_idempotency_key"
    title = "A key is missing"
    sentence = "Send an Idempotency-Key header: a new random text for each payment, the same when you repeat it."


class ShownOnce(Conflict):
    """The first answer held a secret, which nobody keeps."""

    code = "shown_once"
    sentence = "This was done already, and its answer is shown once only. If you did not see it, begin again."


found_next_time.add("uq_idempotency_keys_user_id_route_key")
conflicts["uq_idempotency_keys_user_id_route_key"] = InFlight()


def once(user_id: int, work: Callable[[], Response], *, secret: bool = False) -> Response:
    """Do `work`, or answer what it answered before; raises Invalid (422) for a key used for another body,
    ShownOnce (409) where the answer was `secret` and therefore not kept."""
    name = _name(user_id)
    stored = _stored(name)
    if stored:
        return _replay(stored[0])
    execute(insert(IdempotencyKey), {**name, "body_hash": _body_hash()})
    response = work()
    answer = {"status": response.status_code, "location": response.headers.get("Location")}
    body = None if secret else response.get_data()
    execute(update(IdempotencyKey).where(*_matching(name)).values(**answer, body=body))
    return response


def around(user_id: int, work: Callable[[], Response]) -> Response:
    """The same for work that commits by itself in steps: done again where it did not come to its end, and
    of two at once both may do it, but both answer what the first to finish answered."""
    name = _name(user_id)
    stored = _stored(name)
    if stored:
        return _replay(stored[0])
    body_hash = _body_hash()
    response = work()
    return in_transaction(lambda: _keep(name, body_hash, response)) if response.status_code < 400 else response


def leased(user_id: int, work: Callable[[], Response]) -> Response:
    """The same for money that is moved in steps: whoever has the key's lease does the work, the others are told
    to wait (InFlight, 409). A lease that is over means that somebody died: the work, safe to repeat, is done again.
    Raises NoKey (400)."""
    demand()
    name, body_hash = _name(user_id), _body_hash()
    stored = in_transaction(lambda: _take(name, body_hash))
    if stored is not None:
        return _replay(stored)
    try:
        response = work()
    except BaseException:
        in_transaction(lambda: execute(delete(IdempotencyKey).where(*_matching(name))))
        raise
    answer = {"status": response.status_code, "location": response.headers.get("Location")}
    kept = {**answer, "body": response.get_data(), "leased_until": None}
    in_transaction(lambda: execute(update(IdempotencyKey).where(*_matching(name)).values(**kept)))
    return response


def demand() -> None:
    """Raises NoKey (400) where the request has none."""
    if "Idempotency-Key" not in request.headers:
        raise NoKey()


def sweep() -> None:
    """Forget keys after two days."""
    in_transaction(lambda: execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT)))


def _name(user_id: int) -> JsonObject:
    key = request.headers["Idempotency-Key"]
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise Invalid.field("Idempotency-Key", f"A key is 1 to {LONGEST_KEY} printable characters.")
    return {"user_id": user_id, "route": f"{request.method} {request.path}"[:300], "key": key}


def _stored(name: dict[str, Any]) -> list[Any]:
    return fetch(select(IdempotencyKey).where(*_matching(name)).with_only_columns(*IdempotencyKey.__table__.c))


def _take(name: dict[str, Any], body_hash: str) -> Any | None:
    """The stored answer, or None and the lease; raises InFlight."""
    stored = _stored(name)
    until = now() + LEASE
    if not stored:
        execute(insert(IdempotencyKey), {**name, "body_hash": body_hash, "leased_until": until})
        return None
    known = stored[0]
    if known.body_hash != body_hash or known.leased_until is None:
        return known
    over = update(IdempotencyKey).where(*_matching(name), IdempotencyKey.leased_until == known.leased_until)
    if known.leased_until > now() or not execute(over.values(leased_until=until)):
        raise InFlight()
    return None


def _keep(name: dict[str, Any], body_hash: str, response: Response) -> Response:
    stored = _stored(name)
    if stored:
        return _replay(stored[0])
    answer = {"status": response.status_code, "location": response.headers.get("Location")}
    execute(insert(IdempotencyKey), {**name, "body_hash": body_hash, **answer, "body": response.get_data()})
    return response


def _matching(name: dict[str, Any]) -> list[Any]:
    return [getattr(IdempotencyKey, column) == value for column, value in name.items()]


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


def _replay(stored: Any) -> Response:
    if stored.body_hash != _body_hash():
        raise Invalid.field("Idempotency-Key", "This key was used for another request. Make a new one.")
    if stored.body is None:
        raise ShownOnce()
    response = Response(stored.body, stored.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    if stored.location:
        response.headers["Location"] = stored.location
    return response
