"""What only PayPal has: tokens, payouts told by their batch, a book in ranges."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine

from marketplace.payments.providers.paypal.subscriptions import _months_later
from marketplace.payments.providers.provider import Paid, ProviderStatus, Refused, Unknown, Unreachable
from tests.payments.deals import CHARGE, PRO, captured, subscribe
from tests.payments.shops import PayPalShop
from tests.servers.paypal_store import Fault, stamp
from tests.servers.web import Reply

TOKEN, ORDERS = "/v1/oauth2/token", "/v2/checkout/orders"


@pytest.fixture
def shop() -> Iterator[PayPalShop]:
    shop = PayPalShop()
    yield shop
    assert shop.complaints() == []
    shop.stop()


def tokens(shop: PayPalShop) -> int:
    return sum(request.path == "/v1/oauth2/token" for request in shop.server.server.seen)


def _refused(path: str) -> Reply:
    """A token that counts nowhere."""
    if path == TOKEN:
        return Reply(200, b'{"access_token": "x", "expires_in": 32400}', {"Content-Type": "application/json"})
    raise Fault(401, "AUTHENTICATION_FAILURE")


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

    assert shop.provider.create(CHARGE).key == "intent-1"
    assert tokens(shop) == 2


def test_a_new_token_that_is_not_taken_either_is_trouble_and_no_loop(shop: PayPalShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shop.server, "_checked", lambda request: _refused(request.path))

    with pytest.raises(Unreachable, match="does not accept our key"):
        shop.provider.create(CHARGE)
    assert [request.path for request in shop.server.server.seen] == [TOKEN, ORDERS, TOKEN, ORDERS]


@pytest.mark.parametrize(("hours", "count"), [(8, 1), (9, 2)])  # a token is good for nine
def test_a_token_is_not_used_to_its_very_end(shop: PayPalShop, hours: int, count: int):
    shop.provider.create(CHARGE)

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours) - timedelta(seconds=30)):
        shop.provider.create(CHARGE)
    assert tokens(shop) == count


def test_a_token_refused_for_whatever_reason_fails_nothing_for_good(shop: PayPalShop, monkeypatch: pytest.MonkeyPatch):
    for reply in (Reply(400, b"{}"), Reply(404), Reply(302, b"", {"Location": "/"}), Reply(200, b"[]"), Reply(200)):
        monkeypatch.setattr(shop.server, "_token", lambda _, reply=reply: reply)
        with pytest.raises(Unreachable):
            shop.provider.create(CHARGE)
    monkeypatch.undo()

    assert shop.provider.create(CHARGE).key == "intent-1"


def test_threads_ask_over_connections_of_their_own(shop: PayPalShop):
    client = shop.provider._api
    with ThreadPoolExecutor(2) as threads:
        barrier = Barrier(2)
        sessions = list(threads.map(lambda _: (barrier.wait(), client._session())[1], range(2)))

    assert len({id(one) for one in (*sessions, client._session(), client._session())}) == 3


def test_after_a_fork_the_parents_connection_is_not_used(shop: PayPalShop, monkeypatch: pytest.MonkeyPatch):
    client = shop.provider._api
    parents = client._session()
    monkeypatch.setattr("marketplace.payments.providers.paypal.client.os.getpid", lambda: 1)

    assert client._session() is not parents


@pytest.mark.parametrize(
    "reply", [Reply(302, b"", {"Location": "/elsewhere"}), Reply(200, b"<html>"), Reply(200, b"[1]")]
)
def test_an_answer_that_makes_no_sense_is_none(shop: PayPalShop, monkeypatch: pytest.MonkeyPatch, reply: Reply):
    monkeypatch.setattr(shop.server, "_once", lambda *_: reply)

    with pytest.raises(Unreachable):
        shop.provider.create(CHARGE)
    assert not any("elsewhere" in request.path for request in shop.server.server.seen)


def test_a_name_never_leads_to_another_address(shop: PayPalShop):
    with pytest.raises(Unknown):
        shop.provider.fetch_refund("R1/../../../v1/payments/payouts?x=1#")

    asked = shop.server.server.seen[-1].path
    assert asked == "/v2/payments/refunds/R1%2F..%2F..%2F..%2Fv1%2Fpayments%2Fpayouts%3Fx%3D1%23"


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
