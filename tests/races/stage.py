"""Payments brought to any point of their lives, quickly; and how they stand when everything has come to rest."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text, update

from marketplace.auth.models import User
from marketplace.core.database.db import db, execute, fetch, in_transaction
from marketplace.kit.clock import now
from marketplace.payments.ledger.invariants import findings
from marketplace.payments.models import Payment, ReceiptRow
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.fake.book import NOTICES
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.registry import providers
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service
from marketplace.tasks import service
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.payments import service as payments_service
from tests.conftest import BEGINNING
from tests.factories.money import VISA
from tests.factories.people import Person

QUEUES = (provider_requests_queue.CALLS, webhooks_service.EVENTS, NOTICES)


@dataclass
class Stage:
    """An assigned task that is paid by escrow, and its payment, which the provider knows of."""

    app: Flask
    owner: Person
    worker: Person
    task: int = 0
    payment: int = 0

    def set_up(self) -> "Stage":
        """A new one."""
        return self.inside(self._set_up)

    def inside(self, work: Any) -> Any:
        """Within the application."""
        with self.app.app_context():
            try:
                return work()
            finally:
                db.session.remove()

    def act(self, who: Person, verb: str, **how: Any) -> None:
        """A verb of the task, in a transaction."""
        in_transaction(lambda: getattr(service, verb)(db.session.get(User, who.id), self.task, **how))

    def pay(self, *, until: str) -> None:
        """By card: `until` the provider has authorised it, has captured it and we do not know, or until it is held."""
        self.inside(lambda: self._pay(until))

    def finish(self) -> None:
        """The worker says it is done."""
        self.inside(lambda: self.act(self.worker, "finish"))

    def call(self) -> None:
        """What the payment asks of the provider."""
        provider_requests_handlers.call_now("payment", self.payment)

    def rest(self) -> "Stage":
        """Whatever waits for its time is done now."""
        self.inside(rest)
        return self

    def outcome(self) -> tuple[str, str, Counter[str], int]:
        """How the task and the payment stand, what the provider booked, and how many receipts there are (without
        credit notes)."""
        return self.inside(self._outcome)

    def held(self) -> int:
        """How many payments of the task are held."""
        held = "SELECT COUNT(*) FROM payments WHERE reference = :task AND status = 'held'"
        return int(fetch(text(held), {"task": f"task:{self.task}"})[0][0])

    def _set_up(self) -> "Stage":
        place: dict[str, Any] = {"title": "Sofa", "description": "Up.", "category": "moving", "payment": "escrow"}

        def work() -> tuple[int, int]:
            owner, worker = db.session.get(User, self.owner.id), db.session.get(User, self.worker.id)
            assert owner is not None
            assert worker is not None
            task = service.post(owner, budget=40, **place)
            application = applications_service.apply(worker, task.id)
            service.accept_application(owner, application.id, task.id, price=Decimal(40))
            return task.id, payments_service.begin(owner, task.id).id

        task, payment = in_transaction(work)
        provider_requests_handlers.call_now("payment", payment)
        return Stage(self.app, self.owner, self.worker, task, payment)

    def _pay(self, until: str) -> None:
        row = fetch(select(Payment.provider_id, Payment.key).where(Payment.id == self.payment))[0]
        fake().confirm(row.provider_id, method=VISA, key=f"card {row.key}")
        if until == "captured":
            fake().capture(row.provider_id, amount_minor=4000, key=f"taken {row.key}")
        else:
            in_transaction(
                lambda: provider_requests_queue.ask("confirm", "payment", self.payment, key=f"known {row.key}")
            )
        if until == "authorized":
            for claimed in provider_requests_queue.CALLS.claim(
                provider_requests_queue.waiting("payment", self.payment)[0]
            ):
                provider_requests_handlers._call(claimed)
        if until == "held":
            provider_requests_handlers.call_now("payment", self.payment)
            while webhooks_service.read_due():
                pass

    def _outcome(self) -> tuple[str, str, Counter[str], int]:
        task = fetch(text("SELECT status FROM tasks WHERE id = :id"), {"id": self.task})[0].status
        payment = fetch(select(Payment.status, Payment.key).where(Payment.id == self.payment))[0]
        lines = "SELECT about FROM fake_lines WHERE key = :key OR key LIKE :refunds"
        booked = fetch(text(lines), {"key": payment.key, "refunds": f"refund-{payment.key}-%"})
        issued = select(func.count()).where(ReceiptRow.payment_id == self.payment, ReceiptRow.refund_id.is_(None))
        return task, payment.status, Counter(row.about for row in booked), int(fetch(issued)[0][0])


def fake() -> FakeProvider:
    """The provider."""
    found = providers()["fake"]
    assert isinstance(found, FakeProvider)
    return found


def long_ago(payment: int, when: datetime | None = None) -> None:
    """Nobody has asked about it for a while."""
    moment = when or now() - timedelta(minutes=5)
    in_transaction(lambda: execute(update(Payment).where(Payment.id == payment).values(next_poll_at=moment)))


def work_off() -> None:
    """What is due."""
    while sum((provider_requests_handlers.call_due(), webhooks_service.read_due())):
        pass


def rest() -> None:
    """Whatever waits for its time is done now; the books agree."""
    for _ in range(5):
        while sum((provider_requests_handlers.call_due(), webhooks_service.read_due())):
            pass
        if not sum(in_transaction(lambda queue=queue: _hurry(queue)) for queue in QUEUES):  # type: ignore[misc]
            break
    assert findings() == []
    assert reconciliation_service.compare(BEGINNING, now() + timedelta(days=1)) == []
    assert [queue.name for queue in QUEUES for state in ("waiting", "failed", "dead") if queue.count(state)] == []


def _hurry(queue: Any) -> int:
    open_ = update(queue.table).where(queue.table.c.done_at.is_(None), queue.table.c.dead_at.is_(None))
    return execute(open_.values(due_at=now() - timedelta(seconds=1)))
