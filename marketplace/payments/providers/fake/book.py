"""Tables of the fake provider: what it knows, apart from everything we know.

It stands in the same database, yet every entry is a transaction of its own, as with a provider far away: a
process that dies after the call has been made finds it made.

Apart from the rooms: a gateway's part: the fake provider's own tables, apart from our books.
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import JSON, Index, String, UniqueConstraint, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.db import Base, execute, first_as, in_transaction, retry_conflict
from marketplace.core.queues.work_queue import Leased, Queue, table_of
from marketplace.kit.clock import now
from marketplace.payments.providers.provider import Forged, Refused, ResourceType, Unknown, Unreachable, WebhookEvent

T = TypeVar("T")
TOLERANCE = timedelta(minutes=5)
REMEMBERED = timedelta(hours=24)
LEASE = timedelta(seconds=30)
NOTICE_ATTEMPTS = 12


@retry_conflict("uq_fake_things_kind_key")
class FakeThing(Base):
    """A payment, refund, payee, payout or subscription as the fake provider sees it."""

    __tablename__ = "fake_things"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("kind", "key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(120))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ThingRow(Protocol):
    """A row of the fake provider's objects; `data` depends on its kind."""

    id: int
    name: str
    kind: str
    key: str
    data: dict[str, Any]
    created_at: datetime


class FakeLine(Base):
    """A movement in the fake provider's settlement report."""

    __tablename__ = "fake_lines"
    __table_args__ = (Index("ix_fake_lines_made_at", "made_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(120))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    made_at: Mapped[datetime] = mapped_column(default=now)


class FakeNotice(Leased, Base):
    """A webhook the fake provider has still to send."""

    __tablename__ = "fake_notices"
    __table_args__ = (UniqueConstraint("event_id"), Index("ix_fake_notices_waiting", "done_at", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(60))


THINGS, LINES = table_of(FakeThing), table_of(FakeLine)
NOTICES = Queue(
    "fake_notices", table_of(FakeNotice), lease=lambda row: LEASE, attempts=lambda row: NOTICE_ATTEMPTS, batch=20
)


class FakeBook:
    """Reads and writes of the book; `faults` are (method, "down", "refused" or "answer lost"), each used up once."""

    name = "fake"
    payouts_remembered = timedelta(hours=23)

    def __init__(self, secret: str, faults: list[tuple[str, str]] | None = None) -> None:
        self.secret = hashlib.sha256(f"fake webhooks {secret}".encode()).hexdigest()
        self.faults = faults or []

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The signature header of a webhook with this body."""
        moment = int(time.time() if at is None else at)
        return {"Fake-Signature": f"t={moment},v1={self._signature(moment, body)}"}

    def body_of(self, row: Any) -> bytes:
        """The body of a webhook, as sent."""
        said = {"id": row.event_id, "type": row.kind, "about": row.about, "object": row.name}
        return json.dumps({**said, "created": row.created_at.timestamp()}).encode()

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """The webhook's content; raises Forged."""
        signed = {name.lower(): value for name, value in headers.items()}.get("fake-signature", "")
        parts = dict(part.split("=", 1) for part in signed.split(",") if "=" in part)
        moment, signature = parts.get("t", ""), parts.get("v1", "")
        if not moment.isdecimal() or len(moment) > 12:
            raise Forged("no signature")
        if not hmac.compare_digest(signature.encode(), self._signature(int(moment), body).encode()):
            raise Forged("the signature does not fit")
        if abs(time.time() - int(moment)) > TOLERANCE.total_seconds():
            raise Forged("the signature is too old")
        said = json.loads(body)
        return WebhookEvent(
            event_id=said["id"],
            kind=said["type"],
            about=ResourceType(said["about"]),
            object_id=said["object"],
            created_at=datetime.fromtimestamp(said["created"], UTC),
        )

    def _signature(self, moment: int, body: bytes) -> str:
        return hmac.new(self.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()

    def _do(self, method: str, work: Callable[[], T]) -> T:
        """Run one call in a transaction of its own, or raise what a fault says."""
        fault = next((one for one in self.faults if one[0] == method), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is not None and fault[1] == "down":
            raise Unreachable("the fake provider is down")
        if fault is not None and fault[1] == "refused":
            raise Refused("The fake provider was told to refuse this.", "refused")
        answer = in_transaction(work)
        if fault is not None:
            raise Unreachable("the answer was lost")
        return answer

    def _made(self, kind: str, prefix: str, key: str, data: dict[str, Any]) -> tuple[ThingRow, bool]:
        """(object of this key, whether it is new); keys are remembered for a day, as at Stripe."""
        known = self._with_key(kind, key)
        if known is not None and known.created_at > now() - REMEMBERED:
            return known, False
        if known is not None:
            key = f"{key} again {secrets.token_hex(4)}"
        name = f"{prefix}_{secrets.token_hex(12)}"
        execute(insert(THINGS), {"name": name, "kind": kind, "key": key, "data": data, "created_at": now()})
        return self._thing(kind, name), True

    def _with_key(self, kind: str, key: str) -> ThingRow | None:
        return first_as(ThingRow, select(THINGS).where(THINGS.c.kind == kind, THINGS.c.key == key))

    def _thing(self, kind: str, name: str) -> ThingRow:
        """The object, locked until the commit; raises Unknown."""
        chosen = select(THINGS).where(THINGS.c.kind == kind, THINGS.c.name == name)
        thing = first_as(ThingRow, chosen.with_for_update())
        if thing is None:
            raise Unknown(f"No such {kind}: {name}", "resource_missing")
        return thing

    def _change(self, thing: ThingRow, notice: str, about: ResourceType, **changes: Any) -> ThingRow:
        """Store new values, and a webhook that tells of them."""
        execute(update(THINGS).where(THINGS.c.id == thing.id).values(data={**thing.data, **changes}))
        self._tell(notice, about, thing.name)
        return self._thing(thing.kind, thing.name)

    def _tell(self, kind: str, about: ResourceType, name: str) -> None:
        moment = now()
        row = {"event_id": f"evt_{secrets.token_hex(12)}", "kind": kind, "about": about.value, "name": name}
        execute(insert(NOTICES.table), {**row, "created_at": moment, "due_at": moment, "attempts": 0})

    def _write(self, about: ResourceType, thing: ThingRow, amount_minor: int) -> None:
        line = {"about": about.value, "name": thing.name, "key": thing.key, "amount_minor": amount_minor}
        execute(insert(LINES), {**line, "currency": thing.data["currency"], "made_at": now()})
