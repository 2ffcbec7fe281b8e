"""The fake provider's subscriptions, by themselves: what they cost, when they renew, what a change takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete

from marketplace.core.database.db import db, execute, in_transaction
from marketplace.payments.providers.fake.book import LINES
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.provider import Declined, Paid, PlanTerms, Refused

BEGINNING = datetime(2031, 1, 31, 10, tzinfo=UTC)
VISA = "pm_card_visa"


def terms(amount_minor: int = 5000, interval: str = "month", key: str = "hunter") -> PlanTerms:
    return PlanTerms(key=key, name="Hunter", amount_minor=amount_minor, currency="USD", interval=interval)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGINNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def fake(context: Flask) -> Iterator[FakeProvider]:
    yield FakeProvider("secret", "https://example.lv")
    in_transaction(lambda: execute(delete(LINES)))  # nobody of ours knows of these: the books are not to be compared
    db.session.remove()


def begin(fake: FakeProvider, method: str | None = VISA, key: str = "k", **of: object) -> str:
    found = fake.subscribe(
        terms=terms(**of),  # type: ignore[arg-type]
        customer_id=None,
        user_id=1,
        email="a@example.com",
        method=method,
        key=key,
    )
    return found.id


def test_a_month_counts_from_the_first_day(fake: FakeProvider, clock: time_machine.Traveller) -> None:
    name = begin(fake)

    ends = []
    for _ in range(3):
        state = fake.fetch_subscription(name)
        assert state.period_end is not None
        ends.append(f"{state.period_end:%m-%d}")
        clock.move_to(state.period_end)
        assert fake.renew_due() == 1

    assert ends == ["02-28", "03-31", "04-30"]
    assert [one.amount_minor for one in fake.fetch_subscription(name).invoices] == [5000] * 4


def test_what_slept_for_months_is_renewed_for_each(fake: FakeProvider, clock: time_machine.Traveller) -> None:
    name = begin(fake)
    clock.shift(timedelta(days=95))

    assert fake.renew_due() == 3
    assert fake.renew_due() == 0
    assert fake.fetch_subscription(name).paid_minor == 20_000


@pytest.mark.parametrize(
    ("amount", "interval", "paid", "next_paid"),
    [
        (8000, "month", 5000 + 2000 - 1250, 8000),
        (2000, "month", 5000, 2000 - (1250 - 500)),
        (48_000, "year", 5000 + 48_000 - 1250, 48_000),
    ],
)
def test_a_change_is_prorated_by_the_day(
    fake: FakeProvider, clock: time_machine.Traveller, amount: int, interval: str, paid: int, next_paid: int
) -> None:
    name = begin(fake)
    clock.shift(timedelta(days=20, hours=12))  # 7 whole days of 28 are left

    state = fake.change_plan(name, terms=terms(amount, interval, "other"), key="change")

    assert (state.plan_key, state.paid_minor) == ("other", paid)
    assert fake.change_plan(name, terms=terms(amount, interval, "other"), key="change") == state
    assert state.period_end is not None
    clock.move_to(state.period_end)
    fake.renew_due()
    assert fake.fetch_subscription(name).invoices[-1].amount_minor == next_paid


def test_what_is_declined_is_there_and_unpaid(fake: FakeProvider) -> None:
    for _ in range(2):
        with pytest.raises(Declined, match="declined"):
            begin(fake, "pm_card_chargeDeclined")

    state = fake.find_subscription("k")
    assert state is not None
    assert (state.status, state.paid_minor) == (Paid.INCOMPLETE, 0)


def test_a_challenge_waits_for_the_payer(fake: FakeProvider) -> None:
    name = begin(fake, "pm_card_authenticationRequired")
    before = fake.fetch_subscription(name)

    fake.pass_challenge(name)

    assert (before.status, before.next_url) == (Paid.INCOMPLETE, f"https://example.lv/challenge/{name}")
    assert (fake.fetch_subscription(name).status, fake.fetch_subscription(name).paid_minor) == (Paid.ACTIVE, 5000)


def test_a_card_that_works_once(fake: FakeProvider, clock: time_machine.Traveller) -> None:
    name = begin(fake, "pm_card_worksOnce")
    clock.shift(timedelta(days=29))
    fake.renew_due()

    assert fake.fetch_subscription(name).status is Paid.PAST_DUE
    with pytest.raises(Refused):
        fake.change_plan(name, terms=terms(1), key="change")
    clock.shift(timedelta(hours=25))
    fake.renew_due()
    assert fake.fetch_subscription(name).status is Paid.PAST_DUE
    fake.give_card(name, VISA)
    fake.renew_due()
    found = fake.fetch_subscription(name)
    assert (found.status, found.paid_minor) == (Paid.ACTIVE, 10_000)


def test_an_end_now_and_an_end_later(fake: FakeProvider, clock: time_machine.Traveller) -> None:
    now_one, later_one = begin(fake, key="a"), begin(fake, key="b")

    assert fake.end_subscription(now_one, at_once=True, key="x").status is Paid.ENDED
    assert fake.end_subscription(later_one, at_once=False, key="y").cancel_at_period_end
    assert fake.fetch_subscription(later_one).status is Paid.ACTIVE
    clock.shift(timedelta(days=29))
    fake.renew_due()
    assert fake.fetch_subscription(later_one).status is Paid.ENDED
    assert fake.fetch_subscription(later_one).paid_minor == 5000
