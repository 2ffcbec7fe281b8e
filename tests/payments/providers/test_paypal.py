"""What only PayPal has: tokens, payouts told by their batch, webhooks it has to be asked about, a book in ranges."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.payments.providers.paypal.subscriptions import _months_later
from marketplace.payments.providers.provider import Paid, ProviderStatus, Refused, ResourceType, Unreachable
from tests.payments.deals import CHARGE, PRO, captured, subscribe
from tests.payments.shops import PayPalShop
from tests.servers.paypal_store import stamp


@pytest.fixture
def shop() -> Iterator[PayPalShop]:
    shop = PayPalShop()
    yield shop
    assert shop.complaints() == []
    shop.stop()


def tokens(shop: PayPalShop) -> int:
    return sum(request.path == "/v1/oauth2/token" for request in shop.server.server.seen)


def test_every_write_carries_our_key(shop: PayPalShop):
    taken = captured(shop)
    shop.provider.refund(taken.id, amount_minor=100, currency="EUR", key="refund-1")

    assert shop.server.keys == ["intent-1", "intent-1:pay", "intent-1:capture", "refund-1"]


def test_one_token_does_for_many_requests(shop: PayPalShop):
    captured(shop)

    assert tokens(shop) == 1


def test_a_token_that_was_taken_back_is_asked_for_anew(shop: PayPalShop):
    shop.provider.create(CHARGE)
    shop.server.token = "another-token"

    with pytest.raises(Unreachable):
        shop.provider.find_payment("intent-1")
    assert shop.provider.create(CHARGE).key == "intent-1"
    assert tokens(shop) == 2


@pytest.mark.parametrize("mood", ["down", "reset", "slow"])
def test_no_token_is_trouble_and_not_a_wrong_secret(shop: PayPalShop, mood: str):
    with shop.in_mood(mood), pytest.raises(Unreachable):
        shop.provider.create(CHARGE)

    assert shop.provider.create(CHARGE).key == "intent-1"


def test_what_was_approved_waits_for_us_and_names_no_address(shop: PayPalShop):
    state = shop.provider.create(CHARGE)
    waiting = shop.provider.confirm(state.id, method=None, key="too early")
    shop.server.approve(state.id)

    approved = shop.provider.fetch_payment(state.id)

    assert waiting == state
    assert (approved.status, approved.next_url) == (ProviderStatus.REQUIRES_ACTION, "")


def test_how_to_pay_is_chosen_there(shop: PayPalShop):
    with pytest.raises(Refused):
        shop.provider.create(replace(CHARGE, method="pm_card_visa"))
    with pytest.raises(Refused):
        shop.provider.confirm("O1", method="pm_card_visa", key="pay")


def test_a_payout_nobody_can_find_may_have_been_made(shop: PayPalShop):
    with pytest.raises(Unreachable, match="same key"):
        shop.provider.find_payout("payout-1")


def test_a_repeated_payout_refused_without_a_link_is_found_by_its_webhook(shop: PayPalShop):
    payout = {"payee_id": "bo@shop.test", "amount_minor": 4200, "currency": "EUR", "reference": "task:7"}
    sent = shop.provider.pay_out(key="payout-1", **payout)
    shop.server.book.names_duplicates = False
    with pytest.raises(Unreachable):
        shop.provider.pay_out(key="payout-1", **payout)

    shop.payout_arrives(sent.id)

    assert shop.provider.pay_out(key="payout-1", **payout).id == sent.id
    assert shop.count("payouts") == 1


def test_a_payout_without_an_account_waits(shop: PayPalShop):
    sent = shop.provider.pay_out(
        payee_id="new@shop.test", amount_minor=4200, currency="EUR", key="payout-1", reference="task:7"
    )

    assert (sent.status, sent.failure) == ("pending", "")


def test_a_notice_of_something_we_do_not_know_is_about_something_else(shop: PayPalShop):
    event = {"id": "WH-1", "create_time": stamp(), "event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {"id": "D1"}}

    assert shop.provider.read_notice(*shop.sign(json.dumps(event).encode())).about is ResourceType.OTHER


def test_a_webhook_is_not_judged_while_paypal_is_down(shop: PayPalShop):
    captured(shop)
    webhook = shop.webhooks()[0]

    with shop.in_mood("down"), pytest.raises(Unreachable):
        shop.provider.read_notice(*webhook)


def test_the_book_is_read_in_ranges_and_pages(shop: PayPalShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("marketplace.payments.providers.paypal.settlement_report.PAGE", 2)
    for number in range(4):
        captured(shop, key=f"intent-{number}")
    shop.server.book.transactions[0]["transaction_initiation_date"] = stamp(-timedelta(days=70))

    now = datetime.now(UTC)
    lines = list(shop.provider.book(now - timedelta(days=80), now + timedelta(minutes=1)))

    assert [line.key for line in lines] == ["intent-0", "intent-1", "intent-2", "intent-3"]


def test_what_is_pending_or_denied_is_not_in_the_book(shop: PayPalShop):
    captured(shop, key="intent-0")
    captured(shop, key="intent-1")
    shop.server.book.transactions[0]["transaction_status"] = "P"

    now = datetime.now(UTC)
    lines = list(shop.provider.book(now - timedelta(days=1), now + timedelta(minutes=1)))
    assert [line.key for line in lines] == ["intent-1"]


def test_a_subscription_nobody_approved_is_given_up(shop: PayPalShop):
    begun = subscribe(shop)

    assert shop.provider.end_subscription(begun.id, at_once=False, key="end-1").status is Paid.ENDED


def test_a_plan_is_made_once(shop: PayPalShop):
    subscribe(shop)
    subscribe(shop, key="sub-2")

    assert len(shop.server.book.of_kind("plan")) == 1
    assert shop.server.book.of_kind("plan")[0]["product_id"] == f"PLAN-{PRO.key}"


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-01-31", 1, "2026-02-28"), ("2026-12-15", 1, "2027-01-15"), ("2028-02-29", 12, "2029-02-28")],
)
def test_months_are_those_of_the_calendar(start: str, months: int, end: str):
    assert _months_later(datetime.fromisoformat(start), months) == datetime.fromisoformat(end)
