"""Whatever people, banks, providers and clocks do in whatever order: the books are right and everybody has what
an independent count says. Longer: MONEY_EXAMPLES=5000 MONEY_STEPS=100."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import event, select, text, update

from marketplace.auth.models import User
from marketplace.catalog.models import Category
from marketplace.cli import audit
from marketplace.core.database.db import db, execute, fetch, in_transaction, save
from marketplace.core.queues.work_queue import Queue
from marketplace.deals import queries as deals_queries
from marketplace.deals import service as deals_service
from marketplace.deals.models import task_reference
from marketplace.kit.clock import now
from marketplace.kit.errors import Problem
from marketplace.kit.money import share, to_major
from marketplace.payments import escrow, provider_sync
from marketplace.payments import service as payments
from marketplace.payments.ledger.invariants import findings
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.models import Payment, PaymentShare, Payout, Refund
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.fake.book import NOTICES, THINGS
from marketplace.payments.providers.fake.provider import CLOSED_BANK, FakeProvider
from marketplace.payments.providers.provider import ProviderError
from marketplace.payments.providers.registry import providers
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service
from marketplace.tasks import service
from marketplace.tasks.applications import service as applications_service
from marketplace.tasks.models import Application
from marketplace.tasks.payments import service as payments_service
from tests.conftest import BEGINNING
from tests.database_reset import empty
from tests.payments.money_model import EXPONENT, FEES, Balances, Deal, Paid, Sent

GATE = {"sqlite": (15, 50), "postgres": (5, 40)}  # stories, steps
LONG = {"sqlite": 1, "postgres": 10}  # a round trip more a statement: one story of so many
START = datetime(2027, 3, 1, 12, tzinfo=UTC)
PEOPLE = ("anna", "bella", "juris", "karlis")
CARDS = ("pm_card_visa", "pm_card_refundFail", "pm_card_captureDeclined", "pm_card_chargeDeclined")
CARDS += ("pm_card_threeDSecure2Required",)
PRICES = (1, 2, 3, 4, 9, 10, 99, 101, 999, 4000, 12345, 99_999, 400_001)
METHODS = ("create", "confirm", "capture", "cancel", "refund", "pay_out", "fetch_payment", "fetch_refund")
METHODS += ("fetch_payout", "find_payment", "refunds_of", "find_payout")
OVER = {
    "payment": {"requires_payment_method", "requires_action", "held", "released", "refunded", "cancelled", "failed"}
}
OVER |= {"refund": {"done", "failed"}, "payout": {"on_hold", "paid", "failed", "returned", "cancelled"}}
QUEUES: tuple[Queue, ...] = (provider_requests_queue.CALLS, webhooks_service.EVENTS, NOTICES)
some = st.integers(0, 40)
cards = st.sampled_from(("pm_card_visa", *CARDS))
HAPPY = {"assigned": "start", "in_progress": "finish", "pending": "confirm"}
ALLOWED = {
    "start": {"assigned"},
    "finish": {"assigned", "in_progress"},
    "confirm": {"pending"},
    "decline": {"assigned"},
    "cancel": {"open", "assigned"},
    "dispute": {"in_progress", "pending"},
}
LEADS_TO = {"start": "in_progress", "finish": "pending", "confirm": "completed", "decline": "open"}
LEADS_TO |= {"cancel": "cancelled", "dispute": "disputed"}


class Marketplace(RuleBasedStateMachine):
    """People, their tasks, a provider with a will of its own, and a clock."""

    app: ClassVar[Flask]
    clean: ClassVar[Callable[[], None]]

    def __init__(self) -> None:
        super().__init__()
        self.deals: list[Deal] = []
        self.sent: list[Sent] = []
        self.kept: list[Callable[[], object]] = []
        self.context = self.app.app_context()
        self.context.push()
        self.clock = time_machine.travel(START, tick=False)
        self.time = self.clock.start()

    @initialize()
    def open_doors(self) -> None:
        """Accounts old enough not to be suspicious by that alone; everybody's bank is known, one is closed."""
        fake = providers()["fake"]
        assert isinstance(fake, FakeProvider)
        self.fake = fake
        self.people = in_transaction(lambda: [_person(name) for name in PEOPLE])
        self.admin = in_transaction(lambda: _person("admin", role="admin"))
        self.time.shift(timedelta(days=6))
        for person in self.people:
            country = CLOSED_BANK if person == self.people[-1] else "LV"
            payouts_service.onboard(db.session.get(User, person), country=country)
        for number, currency in enumerate(sorted(EXPONENT)):
            self.hire(number % 2, 2 + number % 2, currency, 12345, CARDS[number % 2], steps=number + 1)

    # What people do

    @rule(owner=st.integers(0, 1), currency=st.sampled_from(sorted(EXPONENT)), price=st.sampled_from(PRICES))
    def post(self, owner: int, currency: str, price: int) -> None:
        """A task that is paid by escrow."""
        place = {"title": "Sofa", "description": "Up.", "category": "moving", "currency": currency}
        budget, who = major(price, currency), self.people[owner]
        task = self.attempt(lambda: service.post(user(who), budget=budget, payment="escrow", **place).id)
        assert task is not None
        self.deals.append(Deal(task, who, currency, price))

    @rule(
        owner=st.integers(0, 1),
        worker=st.integers(2, 3),
        currency=st.sampled_from(sorted(EXPONENT)),
        price=st.sampled_from(PRICES),
        card=cards,
        steps=st.integers(0, 3),
    )
    def hire(self, owner: int, worker: int, currency: str, price: int, card: str, steps: int) -> None:
        """Post, accept and pay, and go on from there, with nobody in the way."""
        self.post(owner, currency, price)
        self.give(self.deals[-1], self.people[worker], card)
        for _ in range(steps):
            provider_requests_handlers.call_due()
            self.step(self.deals[-1], HAPPY.get(self.deals[-1].state, "confirm"))

    @precondition(lambda self: self.deals)
    @rule(which=some, worker=st.integers(2, 3), card=st.none() | cards)
    def assign(self, which: int, worker: int, card: str | None) -> None:
        """Somebody applies and is taken."""
        self.give(self.deal(which), self.people[worker], card)

    def give(self, deal: Deal, helper: int, card: str | None) -> None:
        """The task to this helper, where it is open; the money is asked for."""
        application = self.attempt(lambda: _application(helper, deal.task_id))
        assert application is not None or deal.state != "open"
        if application is None:
            return
        owner = deal.owner
        done = self.attempt(
            lambda: service.accept_application(
                user(owner), application, deal.task_id, **_price_of(deal), payment_method=card
            )
        )
        assert done is not None
        deal.state, deal.worker = "assigned", helper
        self.begun(deal)

    @precondition(lambda self: self.deals)
    @rule(which=some, card=st.none() | cards, waits=st.booleans())
    def pay(self, which: int, card: str | None, waits: bool) -> None:
        """The owner begins to pay (or tries another card), and may wait for what comes of it."""
        deal = self.deal(which)
        payment = self.attempt(
            lambda: payments_service.begin(user(deal.owner), deal.task_id, **_price_of(deal), payment_method=card).id
        )
        if payment is None:
            return
        assert deal.state in {"assigned", "in_progress", "pending"}
        self.begun(deal)
        assert deal.paid[-1].id == payment
        if waits:
            provider_requests_handlers.call_now("payment", payment)

    @precondition(lambda self: any(deal.paid for deal in self.deals))
    @rule(which=some, card=st.none() | cards, waits=st.booleans())
    def confirm_payment(self, which: int, card: str | None, waits: bool) -> None:
        """With another card, or after a challenge."""
        paid = self.payment(which)
        self.attempt(lambda: payments.confirm(user(paid.payer), paid.id, payment_method=card))
        if waits:
            provider_requests_handlers.call_now("payment", paid.id)

    @precondition(lambda self: any(deal.state in HAPPY for deal in self.deals))
    @rule(which=some, steps=st.integers(1, 3), waits=st.booleans())
    def go_on(self, which: int, steps: int, waits: bool) -> None:
        """What usually comes next."""
        under_way = [deal for deal in self.deals if deal.state in HAPPY]
        deal = under_way[which % len(under_way)]
        for _ in range(steps):
            if waits:
                provider_requests_handlers.call_due()
            self.step(deal, HAPPY.get(deal.state, "confirm"))

    @precondition(lambda self: self.deals)
    @rule(which=some, verb=st.sampled_from(sorted(ALLOWED)))
    def do(self, which: int, verb: str) -> None:
        """Anything, at a good moment or not."""
        self.step(self.deal(which), verb)

    def step(self, deal: Deal, verb: str) -> None:
        """One verb of a task, with what it means for the money."""
        who = deal.owner if verb in {"confirm", "cancel", "dispute"} else deal.worker or self.people[2]
        held = payments.held_minor(task_reference(deal.task_id)) is not None
        moved = self.attempt(lambda: getattr(service, verb)(user(who), deal.task_id))
        legal = deal.state in ALLOWED[verb] and (held or verb not in {"start", "finish"})
        assert (moved is not None) == legal, (verb, deal, self.refused)
        if not legal:
            return
        deal.state = LEADS_TO[verb]
        if verb == "finish":
            deal.done_at = now()
        if verb == "confirm":
            deal.then("release")
        if verb in {"decline", "cancel"}:
            deal.then("call_off")
        if verb == "decline":
            deal.worker = 0

    @precondition(lambda self: any(deal.state == "disputed" for deal in self.deals))
    @rule(which=some, part=st.sampled_from((None, 0, 1, 33, 50, 99, 100, 101)))
    def settle(self, which: int, part: int | None) -> None:
        """Staff divide what is held, in percent."""
        disputed = [deal for deal in self.deals if deal.state == "disputed"]
        deal = disputed[which % len(disputed)]
        held = payments.held_minor(task_reference(deal.task_id))
        amount = None if part is None else (held[0] if held else deal.price) * part // 100
        done = self.attempt(lambda: service.settle(deal.task_id, to_provider_minor=amount))
        legal = amount in {None, 0} or (held is not None and amount <= held[0])
        assert (done is not None) == legal, (deal, held, amount, self.refused)
        if done is None:
            return
        deal.state = "cancelled" if amount == 0 else "completed"
        if amount == 0:
            deal.then("call_off")
            return
        if held is not None and amount is not None and amount < held[0]:
            deal.then("refund", held[0] - amount)
        deal.then("release")

    @precondition(lambda self: any(deal.paid for deal in self.deals))
    @rule(which=some, part=st.sampled_from((None, 0, 1, 25, 50, 100, 150)), by_staff=st.booleans())
    def refund(self, which: int, part: int | None, by_staff: bool) -> None:
        """Whoever was paid gives back some of it, or staff do; before the release or after it."""
        paid = self.payment(which)
        left = paid.left()
        minor = left if part is None else left * part // 100
        amount = None if part is None else major(minor, paid.currency)
        who = self.admin if by_staff else paid.payee
        done = self.attempt(lambda: payments.refund(user(who), paid.id, amount=amount))
        if done is not None:
            assert 0 < minor <= left
            paid.steps.append(("refund", minor))

    @precondition(lambda self: self.wallets())
    @rule(which=some, part=st.sampled_from((1, 50, 100, 100, 101)))
    def withdraw(self, which: int, part: int) -> None:
        """A part of a wallet to the bank, percent."""
        wallets = self.wallets()
        owner, currency, balance = wallets[which % len(wallets)]
        minor = abs(balance) * part // 100
        self.payout(owner, currency, minor, may=payouts_service.minimum(currency) <= minor <= balance)

    @precondition(lambda self: any(deal.state == "completed" for deal in self.deals))
    @rule(which=some, part=st.sampled_from((10, 50, 100)))
    def regret(self, which: int, part: int) -> None:
        """The worker takes everything out, and then staff give the payer some of it back."""
        completed = [deal for deal in self.deals if deal.state == "completed" and deal.paid]
        if not completed:
            return
        paid = completed[which % len(completed)].paid[-1]
        mine = [one for one in self.wallets() if one[:2] == (paid.payee, paid.currency)]
        for _, currency, balance in mine:
            self.payout(paid.payee, currency, max(balance, 0), may=payouts_service.minimum(currency) <= balance)
        minor = paid.left() * part // 100
        amount = major(minor, paid.currency)
        if self.attempt(lambda: payments.refund(user(self.admin), paid.id, amount=amount)):
            paid.steps.append(("refund", minor))

    def payout(self, owner: int, currency: str, minor: int, *, may: bool) -> None:
        """Ask for one; it is refused exactly where it has to be."""
        amount = major(minor, currency)
        made = self.attempt(lambda: payouts_service.request(user(owner), amount=amount, currency=currency)[0].id)
        assert (made is not None) == may, (minor, self.refused)
        if made is not None:
            key = fetch(select(Payout.key).where(Payout.id == made))[0].key
            self.sent.append(Sent(made, key, owner, currency, minor))

    @precondition(lambda self: self.sent)
    @rule(which=some, verb=st.sampled_from((payouts_service.cancel, payouts_service.approve)))
    def decide(self, which: int, verb: Callable[[User, int], Payout]) -> None:
        """The owner thinks again, or staff let it go."""
        one = self.sent[which % len(self.sent)]
        who = self.admin if verb is payouts_service.approve else one.user
        if self.attempt(lambda: verb(user(who), one.id)) and verb is payouts_service.cancel:
            one.cancelled = True

    # What the provider, banks and the net do

    @rule(method=st.sampled_from(METHODS), fault=st.sampled_from(("down", "answer lost")), times=st.integers(1, 3))
    def break_down(self, method: str, fault: str, times: int) -> None:
        """The next calls of this kind fail, before or after they were done."""
        self.fake.faults += [(method, fault)] * times

    @precondition(lambda self: any(deal.paid for deal in self.deals))
    @rule(which=some, verb=st.sampled_from(("cancel", "capture", "confirm")))
    def happens_elsewhere(self, which: int, verb: str) -> None:
        """A bank gives an authorisation up, somebody captures in the provider's own back office, the payer passes a
        challenge in their app."""
        paid = self.payment(which)
        thing = self.thing("payment", paid.key)
        if thing is None:
            return
        how: dict[str, Any] = {"capture": {"amount_minor": paid.price}, "confirm": {"method": None}}.get(verb, {})
        self.unfailing(lambda: getattr(self.fake, verb)(thing.name, key=f"elsewhere-{verb}-{thing.name}", **how))

    @precondition(lambda self: self.sent)
    @rule(which=some)
    def send_back(self, which: int) -> None:
        """The payee's bank returns what was paid out."""
        one = self.sent[which % len(self.sent)]
        thing = self.thing("payout", one.key)
        if thing is not None and thing.data["status"] == "done":
            self.fake.return_payout(thing.name)

    @precondition(lambda self: self.known())
    @rule(which=some)
    def look_away(self, which: int) -> None:
        """Somebody asks the provider and is held up before the answer is written down."""
        known = self.known()
        thing = known[which % len(known)]
        model, ask, take = ASKED[thing.kind]
        ours = fetch(select(model.id).where(model.key == thing.key))
        if not ours:
            return
        state = self.unfailing(lambda: getattr(self.fake, ask)(thing.name))
        self.kept.append(lambda: take(ours[0].id, state))

    @precondition(lambda self: self.kept)
    @rule(which=some)
    def look_back(self, which: int) -> None:
        """The old answer arrives now."""
        late = self.kept.pop(which % len(self.kept))
        in_transaction(late)

    @rule(which=some, times=st.integers(1, 3))
    def webhook(self, which: int, times: int) -> None:
        """Any webhook that was sent or will be, now, and more than once."""
        rows = fetch(select(NOTICES.table).order_by(NOTICES.table.c.id.desc()).limit(12))
        if not rows:
            return
        body = self.fake.body_of(rows[which % len(rows)])
        for _ in range(times):
            webhooks_service.receive("fake", self.fake.signed(body), body)

    @rule(which=some)
    def forge(self, which: int) -> None:
        """Somebody else writes one."""
        rows = fetch(select(NOTICES.table).limit(10))
        body = self.fake.body_of(rows[which % len(rows)]) if rows else b"{}"
        for headers in ({}, {"Fake-Signature": "t=1,v1=0"}, self.fake.signed(body + b" "), self.fake.signed(body, 1.0)):
            with pytest.raises(webhooks_service.NotSigned):
                webhooks_service.receive("fake", headers, body)

    # What we do by ourselves

    @rule(seconds=st.sampled_from((1, 5, 61, 600, 3_700, 90_000, 260_000)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.time.shift(timedelta(seconds=seconds))

    @rule(
        what=st.sampled_from(
            (provider_requests_handlers.call_due, webhooks_service.read_due, reconciliation_service.ask_about_open)
        )
    )
    def work(self, what: Callable[[], int]) -> None:
        """One of the threads behind the scenes."""
        what()

    @rule()
    def confirm_by_clock(self) -> None:
        """Owners who say nothing for three days are content."""
        for agreed in deals_queries.UNCONFIRMED.ids(batch=200):
            in_transaction(lambda agreed=agreed: deals_service.confirm_unanswered(agreed))  # type: ignore[misc]
        for deal in self.deals:
            is_due = deal.state == "pending" and deal.done_at is not None and now() - deal.done_at > timedelta(hours=72)
            status = fetch(text("SELECT status FROM tasks WHERE id = :id"), {"id": deal.task_id})[0].status
            assert not is_due or status == "completed"
            if is_due:
                deal.state = "completed"
                deal.then("release")

    @rule()
    def come_to_rest(self) -> None:
        """Nothing fails any more and everything due is done: then it must be as the model says."""
        self.fake.faults.clear()
        for _ in range(30):
            while sum((provider_requests_handlers.call_due(), webhooks_service.read_due())):
                pass
            reconciliation_service.ask_about_open()
            if not sum(queue.count(state) for queue in QUEUES for state in ("waiting", "failed")):
                break
            self.time.shift(timedelta(minutes=61))
        in_transaction(lambda: execute(update(Payment).values(next_poll_at=now())))  # an old answer may have come last
        reconciliation_service.ask_about_open()
        assert [(queue.name, state) for queue in QUEUES for state in audit_states if queue.count(state)] == []
        assert reconciliation_service.compare(BEGINNING, now() + timedelta(days=1)) == []
        self.nothing_is_left_hanging()
        assert balances() == self.expected()

    def nothing_is_left_hanging(self) -> None:
        """Every payment, refund and payout came to an end, or waits for a person."""
        for model in (Payment, Refund, Payout):
            kind = model.lifecycle.thing
            assert {row.status for row in fetch(select(model.status))} <= OVER[kind], kind
        columns = (Payment.key, Payment.status, PaymentShare.intended_outcome, Payment.captured_at)
        rows = fetch(select(*columns).join(PaymentShare, PaymentShare.payment_id == Payment.id))
        for row in rows:
            thing = self.thing("payment", row.key)
            if thing is not None and row.status.startswith("requires"):
                assert thing.data["status"] == row.status
            if row.intended_outcome == "call_off":
                assert row.status in {"cancelled", "failed", "refunded"}, row
            if row.intended_outcome == "release" and row.captured_at is not None:
                assert row.status in {"released", "refunded"}, row

    # Helpers

    def check_invariants(self, settings: Any, output: Any, runtimes: Any) -> None:
        """After every step."""
        db.session.remove()
        assert findings() == []
        db.session.remove()

    def teardown(self) -> None:
        """Come to rest once more, and look at everything the auditor looks at."""
        try:
            if hasattr(self, "fake"):
                self.come_to_rest()
                broken = [one for one in audit._broken_rules() if not one.startswith(FILES)]
                assert [*broken, *audit._broken_histories(), *running_balances()] == []
        finally:
            db.session.remove()
            type(self).clean()
            self.fake.faults.clear()
            db.session.remove()
            self.clock.stop()
            self.context.pop()

    def attempt(self, work: Callable[[], Any]) -> Any:
        """What comes of it; None where it was refused."""
        self.time.shift(timedelta(milliseconds=1))
        self.refused: Problem | None = None
        try:
            return in_transaction(work)
        except Problem as problem:
            self.refused = problem
            return None

    def unfailing(self, ask: Callable[[], Any]) -> Any:
        """Past the faults; what the provider refuses is refused."""
        faults, self.fake.faults = self.fake.faults, []
        try:
            return ask()
        except ProviderError:
            return None
        finally:
            self.fake.faults = faults

    def deal(self, which: int) -> Deal:
        """The newer ones first."""
        return self.deals[-1 - which % len(self.deals)]

    def payment(self, which: int) -> Paid:
        """One of all."""
        all_of_them = [paid for deal in self.deals for paid in deal.paid]
        return all_of_them[-1 - which % len(all_of_them)]

    def begun(self, deal: Deal) -> None:
        """Note the payment that is under way now."""
        reference = task_reference(deal.task_id)
        mine = select(Payment.id, Payment.key).join(PaymentShare, PaymentShare.payment_id == Payment.id)
        rows = fetch(mine.where(PaymentShare.active_reference == reference))
        assert len(rows) == 1
        if not deal.paid or deal.paid[-1].id != rows[0].id:
            deal.paid.append(Paid(rows[0].id, rows[0].key, deal.owner, deal.worker, deal.currency, deal.price))

    def wallets(self) -> list[tuple[int, str, int]]:
        """Those that were ever used."""
        columns = (LedgerAccount.owner_id, LedgerAccount.currency, LedgerAccount.balance_minor)
        mine = select(*columns).where(LedgerAccount.purpose == "available").order_by(LedgerAccount.id)
        return [(int(row.owner_id), row.currency, row.balance_minor) for row in fetch(mine)]

    def known(self) -> list[Any]:
        """What the provider knows of."""
        return fetch(select(THINGS).where(THINGS.c.kind.in_(list(ASKED))).order_by(THINGS.c.id.desc()).limit(10))

    def thing(self, kind: str, key: str) -> Any:
        """As the provider has it."""
        rows = fetch(select(THINGS).where(THINGS.c.kind == kind, THINGS.c.key == key))
        return rows[0] if rows else None

    def expected(self) -> Balances:
        """From what was done and what the provider says it did."""
        have: Balances = Counter()
        for deal in self.deals:
            for paid in deal.paid:
                thing = self.thing("payment", paid.key)
                if thing is not None:
                    paid.captured = thing.data["captured_minor"]
                    paid.comes_back = thing.data["method"] == "pm_card_refundFail"
                paid.book(have)
        for one in self.sent:
            thing = self.thing("payout", one.key)
            if fetch(select(Payout.status).where(Payout.id == one.id))[0].status == "cancelled":
                one.cancelled = True  # also where its owner came to owe it before it was sent
            one.fate = "" if thing is None else thing.data["status"]
            one.book(have)
        return Counter({name: amount for name, amount in have.items() if amount})


ASKED: dict[str, tuple[Any, str, Callable[..., object]]] = {
    "payment": (Payment, "fetch_payment", provider_sync.apply_provider_state),
    "refund": (Refund, "fetch_refund", provider_sync.apply_refund_state),
    "payout": (Payout, "fetch_payout", provider_sync.apply_payout_state),
}
FILES = "deals: disputed without a file"  # nobody opens them here
audit_states = ("waiting", "failed", "dead")


def user(user_id: int) -> User:
    """In the running transaction."""
    found = db.session.get(User, user_id)
    assert found is not None
    return found


def major(minor: int, currency: str) -> Decimal:
    """As a client says it."""
    return Decimal(minor).scaleb(-EXPONENT[currency])


def _price_of(deal: Deal) -> dict[str, Any]:
    return {"price": major(deal.price, deal.currency), "currency": deal.currency}


def balances() -> Balances:
    """As the ledger has them; what is a provider's, a fee or a tax belongs to nobody. An escrow is its payer's."""
    have: Balances = Counter()
    for row in fetch(select(LedgerAccount.__table__)):
        have[row.purpose, row.owner_id or 0, row.currency] += row.balance_minor
        assert float(row.balance_minor) == round(
            to_major(row.balance_minor, row.currency) * 10 ** EXPONENT[row.currency]
        )
    return Counter({name: amount for name, amount in have.items() if amount})


def running_balances() -> list[str]:
    """Every line of every account says what the account had then."""
    wrong, have = [], Counter[int]()
    lines = "SELECT id, debit_id, credit_id, amount_minor, debit_after, credit_after FROM ledger_transfers ORDER BY id"
    for row in fetch(text(lines)):
        have[row.debit_id] -= row.amount_minor
        have[row.credit_id] += row.amount_minor
        if (have[row.debit_id], have[row.credit_id]) != (row.debit_after, row.credit_after):
            wrong.append(f"transfer {row.id}")
    return wrong


def _person(name: str, **fields: Any) -> int:
    whole = {"username": name, "username_key": name, "email": f"{name}@example.com", "password_hash": "-", **fields}
    return save(User(**whole)).id


def _application(helper: int, task_id: int) -> int:
    known = fetch(
        select(Application.id).where(
            Application.task_id == task_id, Application.applicant_id == helper, Application.status == "pending"
        )
    )
    return int(known[0].id) if known else applications_service.apply(user(helper), task_id).id


@pytest.fixture
def quick(app: Flask, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Fees with a tax, and an SQLite that does not wait for the disk."""
    rules = tmp_path / "fees.toml"
    rules.write_text(FEES)
    monkeypatch.setitem(app.config, "FEE_RULES", str(rules))

    def careless(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    with app.app_context():
        engine = db.engine
        engine.dispose()
    if database == "sqlite":
        event.listen(engine, "connect", careless)
    yield app
    if database == "sqlite":
        event.remove(engine, "connect", careless)
        engine.dispose()


def run(app: Flask, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """So many stories of at most so many steps."""
    with app.app_context():
        shipped = fetch(select(Category.__table__))
        db.session.remove()
    market = type("Market", (Marketplace,), {"app": app, "clean": staticmethod(lambda: empty(shipped))})
    how: dict[str, Any] = {"deadline": None, "database": None, "print_blob": True, "phases": phases}
    how["derandomize"] = "MONEY_EXAMPLES" not in os.environ  # the gate tells the same stories each time
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(**how, max_examples=examples, stateful_step_count=steps, suppress_health_check=quiet)
    run_state_machine_as_test(market, settings=chosen)


def test_the_books_are_right_whatever_happens(quick: Flask, database: str) -> None:
    examples, steps = GATE[database]
    if "MONEY_EXAMPLES" in os.environ:
        examples = int(os.environ["MONEY_EXAMPLES"]) // LONG[database]
    run(quick, examples, int(os.environ.get("MONEY_STEPS", steps)))


def test_control_a_share_that_no_ledger_would_notice_is_noticed(quick: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def for_the_house(total: int, weights: tuple[int, ...]) -> list[int]:
        parts = share(total, weights)
        if len(parts) < 3 or not parts[0]:
            return parts
        return [parts[0] - 1, parts[1] + 1, parts[2]]

    monkeypatch.setattr(escrow, "share", for_the_house)
    with pytest.raises(AssertionError):
        run(quick, 5, 10, (Phase.generate,))
