"""Payments for one to five sellers at two providers, in whatever order people, banks and faults do something: the
ledger has what an independent count says. Longer: MONEY_EXAMPLES=5000 MONEY_STEPS=100."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from marketplace.catalog.models import Category
from marketplace.core.database.db import db, fetch, in_transaction
from marketplace.kit.errors import Problem
from marketplace.kit.money import share
from marketplace.payments import escrow, service
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.ledger.invariants import findings
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.models import Payment, PaymentShare, Payout, Refund
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.provider_requests import handlers
from marketplace.payments.providers.fake.book import THINGS
from marketplace.payments.providers.fake.chargebacks import FEE_MINOR
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.registry import providers
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.service import Purchase
from marketplace.payments.webhooks import service as webhooks_service
from tests.conftest import BEGINNING
from tests.database_reset import empty
from tests.payments.money_model import Balances
from tests.payments.shares.share_model import Bought, Part, together
from tests.payments.test_properties import START, _person, major, quick, user

__all__ = ["quick"]
GATE = {"sqlite": (25, 40), "postgres": (6, 30)}  # stories, steps
LONG = {"sqlite": 1, "postgres": 10}
PRICES = (1, 2, 3, 10, 99, 101, 999, 4000, 12_345)
METHODS = ("create", "confirm", "capture", "refund", "pay_out", "fetch_chargeback")
OTHER = "other_"
some = st.integers(0, 40)
THING = st.tuples(st.integers(2, 4), st.sampled_from(PRICES), st.sampled_from((0, 0, 30)))
FAULTS = ("down", "answer lost")
a_part = st.sampled_from((1, 33, 50, 100))


class OtherProvider(FakeProvider):
    """A second provider: what it knows has names of its own."""

    name = "other"

    def _made(self, kind: str, prefix: str, key: str, data: dict[str, Any]) -> Any:
        return super()._made(kind, OTHER + prefix, key, data)

    def book(self, since: datetime, until: datetime) -> Iterator[Any]:
        """Its own lines."""
        return (line for line in super().book(since, until) if line.object_id.startswith(OTHER))


class FirstProvider(FakeProvider):
    """The one that is there anyway, without the lines of the other."""

    def book(self, since: datetime, until: datetime) -> Iterator[Any]:
        """Its own lines."""
        return (line for line in super().book(since, until) if not line.object_id.startswith(OTHER))


class Sellers(RuleBasedStateMachine):
    """Buyers, sellers, two providers and banks."""

    app: ClassVar[Flask]
    clean: ClassVar[Callable[[], None]]

    def __init__(self) -> None:
        super().__init__()
        self.bought: list[Bought] = []
        self.sent: list[tuple[int, str, int, str, int]] = []
        self.disputes: list[tuple[Bought, str, int]] = []
        self.count = 0
        self.context = self.app.app_context()
        self.context.push()
        self.clock = time_machine.travel(START, tick=False)
        self.time = self.clock.start()

    @initialize()
    def open_doors(self) -> None:
        """Two providers, who know everybody's bank."""
        known = self.app.extensions["payment_providers"] = dict(providers())
        fake = known["fake"]
        assert isinstance(fake, FakeProvider)
        known["fake"] = FirstProvider("secret of the test", fake.site_url)
        known["fake"].secret = fake.secret
        known["other"] = OtherProvider("secret of the test", fake.site_url)
        self.people = in_transaction(lambda: [_person(name) for name in ("anna", "bella", "juris", "karlis", "zane")])
        self.admin = in_transaction(lambda: _person("admin", role="admin"))
        self.time.shift(timedelta(days=9))
        for person in self.people[2:]:
            for name in ("fake", "other"):
                payouts_service.onboard(user(person), country="LV", provider=name)
        things = [(2, 12_345, 0), (3, 999, 30), (4, 101, 0)]
        self.buy(0, things, "EUR", "fake", "pm_card_visa")
        self.buy(1, things[:2], "EUR", "other", "pm_card_refundFail")
        self.release(0, 0)

    @rule(
        buyer=st.integers(0, 1),
        things=st.lists(THING, min_size=1, max_size=5),
        currency=st.sampled_from(("EUR", "JPY")),
        provider=st.sampled_from(("fake", "other")),
        card=st.sampled_from(("pm_card_visa", "pm_card_visa", "pm_card_refundFail")),
    )
    def buy(self, buyer: int, things: list[tuple[int, int, int]], currency: str, provider: str, card: str) -> None:
        """Things of one to five sellers, some with a voucher of the marketplace (percent)."""
        payer, parts = self.people[buyer], []
        for seller, price, percent in things:
            self.count += 1
            parts.append(Part(f"cart:{self.count}", self.people[seller], price, price * percent // 100, currency))
        deals = [
            Purchase(
                reference=part.reference,
                title="Thing",
                payer_id=payer,
                payee_id=part.payee,
                price_minor=part.price,
                currency=currency,
                category="other",
                subsidy_minor=part.subsidy,
            )
            for part in parts
        ]

        def begin() -> tuple[int, str]:
            made = service.begin_together("cart", "Cart", deals, provider_name=provider, method=card)
            return made.id, made.key

        comes_back = card == "pm_card_refundFail"
        self.bought.append(Bought(*in_transaction(begin), provider, payer, currency, parts, comes_back))
        self.work()

    @precondition(lambda self: self.bought)
    @rule(which=some, part=some)
    def release(self, which: int, part: int) -> None:
        """A deal is done: all of it, now or as soon as it can be."""
        bought, mine = self.one(which, part)
        is_open = self.is_active(mine)
        in_transaction(lambda: service.release(mine.reference))
        if is_open:
            mine.wanted = "release"
            bought.carry_out()

    @precondition(lambda self: self.bought)
    @rule(which=some, part=some, percent=a_part)
    def release_in_part(self, which: int, part: int, percent: int) -> None:
        """A part of it."""
        bought, mine = self.one(which, part)
        minor = sum(mine.left) * percent // 100
        if not minor or not self.was_active:  # without a payment it has no effect
            return
        done = self.attempt(lambda: service.release(mine.reference, minor))
        assert done == (not bought.is_frozen)
        if done:
            mine.release(minor)

    @precondition(lambda self: self.bought)
    @rule(which=some, part=some)
    def call_off(self, which: int, part: int) -> None:
        """A deal is off."""
        bought, mine = self.one(which, part)
        is_open = self.is_active(mine)
        in_transaction(lambda: service.call_off(mine.reference))
        if is_open:
            mine.wanted = "call_off"
            bought.carry_out()
        self.work()

    @precondition(lambda self: self.bought)
    @rule(which=some, part=some, percent=a_part)
    def decide(self, which: int, part: int, percent: int) -> None:
        """Staff divide what is held."""
        bought, mine = self.one(which, part)
        to_payee = sum(mine.left) * percent // 100
        if self.attempt(lambda: service.split(mine.reference, to_payee)):
            assert not bought.is_frozen
            bought.sent_back += mine.divide(to_payee)
        self.work()

    @precondition(lambda self: self.bought)
    @rule(which=some, part=some, percent=a_part)
    def refund(self, which: int, part: int, percent: int) -> None:
        """Staff give a part back, whoever has the money by now."""
        bought, mine = self.one(which, part)
        minor = mine.owed * percent // 100
        amount = major(minor, bought.currency)
        give = lambda: service.refund(user(self.admin), bought.id, amount=amount, reference=mine.reference)  # noqa: E731
        done = self.attempt(give)
        assert not done or (minor > 0 and not bought.is_frozen)
        if done:
            mine.take(minor)
            mine.back += minor
            mine.settle()
            bought.sent_back += minor
        self.work()

    @precondition(lambda self: self.bought)
    @rule(which=some, percent=st.sampled_from((40, 100)))
    def dispute(self, which: int, percent: int) -> None:
        """The payer's bank takes it back for now."""
        bought = self.bought[-1 - which % len(self.bought)]
        thing = self.thing(bought.key)
        if not bought.is_held or bought.is_frozen or thing is None:
            return
        minor = (thing.data["captured_minor"] - thing.data.get("lost_minor", 0)) * percent // 100
        if minor:
            name = self.provider(bought).dispute(thing.name, amount_minor=minor)
            bought.is_frozen = True
            bought.charged += FEE_MINOR
            self.disputes.append((bought, name, minor))
            self.hear(bought, name)

    @precondition(lambda self: self.disputes)
    @rule(which=some, won=st.booleans())
    def bank_decides(self, which: int, won: bool) -> None:
        """For the seller or for the payer."""
        self.end(self.disputes.pop(which % len(self.disputes)), won=won)

    def end(self, dispute: tuple[Bought, str, int], *, won: bool) -> None:
        """The bank has decided."""
        bought, name, minor = dispute
        self.settle()
        pending = select(Refund.amount_minor).where(Refund.payment_id == bought.id, Refund.status == "pending")
        unsent = sum(row.amount_minor for row in fetch(pending.where(Refund.provider_id.is_(None))))
        db.session.remove()
        self.provider(bought).decide(name, won=won)
        self.hear(bought, name)
        if won:
            bought.is_frozen = False
            bought.carry_out()
        else:
            bought.lose(minor, unsent)
        self.work()

    @rule(who=st.integers(2, 4), percent=st.sampled_from((1, 50, 100, 101)), currency=st.sampled_from(("EUR", "JPY")))
    def withdraw(self, who: int, percent: int, currency: str) -> None:
        """A part of a wallet to the bank, at whichever provider it is."""
        owner = self.people[who]
        self.settle()
        have = together(self.bought, [one[1:] for one in self.sent])["available", owner, currency]
        frozen = sum(
            part.paid[0]
            for one in self.bought
            for part in one.parts
            if one.is_frozen and part.payee == owner and one.currency == currency
        )
        there = max(have - frozen, 0)
        minor = there * percent // 100 if percent <= 100 else there + 1
        amount = major(minor, currency)
        made = self.attempt(
            lambda: [
                (one.id, one.provider, owner, currency, one.amount_minor)
                for one in payouts_service.request(user(owner), amount=amount, currency=currency)
            ]
        )
        assert not made or percent <= 100, (have, frozen, minor)
        self.sent += made or []
        self.work()

    @rule(method=st.sampled_from(METHODS), fault=st.sampled_from(FAULTS), at=st.sampled_from(("fake", "other")))
    def break_down(self, method: str, fault: str, at: str) -> None:
        """The next call fails, before or after it was done."""
        fake = providers()[at]
        assert isinstance(fake, FakeProvider)
        fake.faults.append((method, fault))

    @rule(seconds=st.sampled_from((1, 61, 600, 3_700)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.time.shift(timedelta(seconds=seconds))
        self.work()

    @rule()
    def come_to_rest(self) -> None:
        """Banks decide, nothing fails any more, everything due is done."""
        self.settle()
        while self.disputes:
            self.end(self.disputes.pop(), won=len(self.disputes) % 2 == 0)
        for _ in range(2):
            self.settle()
        assert reconciliation_service.compare(BEGINNING, START + timedelta(days=400)) == []
        paid = {row.id: row.status for row in fetch(select(Payout.id, Payout.status))}
        assert set(paid.values()) <= {"paid", "cancelled"}
        self.sent = [one for one in self.sent if paid[one[0]] == "paid"]  # of what is owed meanwhile nothing is sent
        assert self.balances() == together(self.bought, [one[1:] for one in self.sent])
        stands = dict(fetch(select(PaymentShare.reference, PaymentShare.status)))
        assert {part.reference: stands[part.reference] for one in self.bought if one.is_held for part in one.parts} == {
            part.reference: part.status for one in self.bought if one.is_held for part in one.parts
        }
        db.session.remove()

    # Helpers

    def work(self) -> None:
        """The threads behind the scenes; then what was captured is known to the model too."""
        handlers.call_due()
        webhooks_service.read_due()
        self.notice()

    def settle(self) -> None:
        """Everything that is due, with nothing that fails."""
        for fake in providers().values():
            assert isinstance(fake, FakeProvider)
            fake.faults.clear()
        for _ in range(2):
            while sum((handlers.call_due(), webhooks_service.read_due())):
                pass
            self.notice()
            self.time.shift(timedelta(minutes=61))
        reconciliation_service.ask_about_open()
        self.notice()

    def hear(self, bought: Bought, name: str) -> None:
        """Of a dispute: the first provider's webhooks come by themselves, the other is asked."""
        self.settle()
        if bought.provider == "other":
            state = self.provider(bought).fetch_chargeback(name)
            in_transaction(lambda: chargebacks_service.apply_state(bought.id, state))
            self.settle()

    def notice(self) -> None:
        """Payments that were captured since."""
        rows = fetch(select(Payment.id).where(Payment.captured_at.is_not(None)))
        captured = {row.id for row in rows}
        for one in self.bought:
            if one.id in captured and not one.is_held:
                one.hold()
        db.session.remove()

    def attempt(self, work: Callable[[], Any]) -> Any:
        """What comes of it (True for nothing); False where it was refused."""
        try:
            return in_transaction(work) or True
        except Problem:
            return False

    def one(self, which: int, part: int) -> tuple[Bought, Part]:
        """One part of a payment, the newer ones first."""
        bought = self.bought[-1 - which % len(self.bought)]
        mine = bought.parts[part % len(bought.parts)]
        self.was_active = self.is_active(mine)
        return bought, mine

    def is_active(self, part: Part) -> bool:
        """Whether its deal can still do something about it."""
        open_ = select(PaymentShare.id).where(PaymentShare.active_reference == part.reference)
        found = bool(fetch(open_))
        db.session.remove()
        return found

    def provider(self, bought: Bought) -> FakeProvider:
        """Where it was paid."""
        found = providers()[bought.provider]
        assert isinstance(found, FakeProvider)
        return found

    def thing(self, key: str) -> Any:
        """The payment as its provider has it."""
        rows = fetch(select(THINGS).where(THINGS.c.kind == "payment", THINGS.c.key == key))
        db.session.remove()
        return rows[0] if rows else None

    def balances(self) -> Balances:
        """As the ledger has them."""
        have: Balances = Counter()
        for row in fetch(select(LedgerAccount.__table__)):
            purpose = f"provider {row.provider}" if row.purpose == "provider" else row.purpose
            have[purpose, row.owner_id or 0, row.currency] += row.balance_minor
        return Counter({name: amount for name, amount in have.items() if amount})

    def check_invariants(self, settings: Any, output: Any, runtimes: Any) -> None:
        """After every step."""
        db.session.remove()
        assert findings() == []
        db.session.remove()

    def teardown(self) -> None:
        """Once more, and leave nothing behind."""
        try:
            if hasattr(self, "admin"):
                self.come_to_rest()
        finally:
            db.session.remove()
            type(self).clean()
            self.app.extensions.pop("payment_providers", None)
            db.session.remove()
            self.clock.stop()
            self.context.pop()


def run(app: Flask, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    """So many stories of at most so many steps."""
    with app.app_context():
        shipped = fetch(select(Category.__table__))
        db.session.remove()
    market = type("Market", (Sellers,), {"app": app, "clean": staticmethod(lambda: empty(shipped))})
    how: dict[str, Any] = {"deadline": None, "database": None, "print_blob": True, "phases": phases}
    how["derandomize"] = "MONEY_EXAMPLES" not in os.environ  # the gate tells the same stories each time
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(**how, max_examples=examples, stateful_step_count=steps, suppress_health_check=quiet)
    run_state_machine_as_test(market, settings=chosen)


def test_every_seller_and_payer_has_what_is_theirs_whatever_happens(quick: Flask, database: str) -> None:
    examples, steps = GATE[database]
    if "MONEY_EXAMPLES" in os.environ:
        examples = int(os.environ["MONEY_EXAMPLES"]) // LONG[database]
    run(quick, examples, int(os.environ.get("MONEY_STEPS", steps)))


def test_control_a_cent_too_much_for_the_house_is_noticed(quick: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def for_the_house(total: int, weights: Any) -> list[int]:
        parts = share(total, weights)
        if len(parts) < 3 or not parts[0]:
            return parts
        return [parts[0] - 1, parts[1] + 1, parts[2]]

    monkeypatch.setattr(escrow, "share", for_the_house)
    with pytest.raises((AssertionError, Problem)):
        run(quick, 5, 10, (Phase.generate,))
