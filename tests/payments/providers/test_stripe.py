"""What only Stripe has: search that lags, refunds that fail later, cards in front ends, several webhook secrets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.payments.providers.provider import (
    Declined,
    Done,
    NotSettled,
    Paid,
    ProviderStatus,
    Refused,
    ResourceType,
    Unreachable,
)
from tests.payments.deals import BUSINESS, CHARGE, authorized, captured, refund_with, subscribe
from tests.payments.shops import StripeShop
from tests.servers.stripe import WEBHOOK_SECRET, sign
from tests.servers.stripe_payments import fail_refund


@pytest.fixture
def shop() -> Iterator[StripeShop]:
    shop = StripeShop()
    yield shop
    assert shop.complaints() == []
    shop.stop()


def test_every_write_carries_our_key(shop: StripeShop):
    taken = captured(shop)
    shop.provider.refund(taken.id, amount_minor=100, currency="EUR", key="refund-1")

    assert shop.server.keys == ["intent-1", "intent-1:pay", "intent-1:capture", "refund-1"]


def test_what_is_old_enough_is_found_by_search(shop: StripeShop):
    taken = captured(shop)
    begun = subscribe(shop)
    shop.server.age(taken.id, seconds=86400)
    shop.server.age(begun.id, seconds=86400)

    assert shop.provider.find_payment("intent-1") == taken
    assert shop.provider.find_payment("INTENT-1") is None
    assert shop.provider.find_subscription("sub-1") is not None


def test_a_key_with_quotes_is_searched_for_as_it_is(shop: StripeShop):
    state = shop.provider.create(replace(CHARGE, key="it's 1"))
    shop.server.age(state.id, seconds=86400)

    found = shop.provider.find_payment("it's 1")
    assert found is not None
    assert found.id == state.id


def test_lists_are_read_to_their_end(shop: StripeShop):
    shop.server.book.page_limit = 2
    taken = captured(shop)
    for number in range(5):
        shop.provider.refund(taken.id, amount_minor=100, currency="EUR", key=f"refund-{number}")

    first = refund_with(shop, taken.id, "refund-0")
    now = datetime.now(UTC)

    assert first is not None
    assert len(list(shop.provider.book(now - timedelta(hours=1), now + timedelta(hours=1)))) == 6


def test_a_refund_the_bank_sends_back_has_failed_and_the_book_says_so(shop: StripeShop):
    taken = captured(shop)
    refund = shop.provider.refund(taken.id, amount_minor=900, currency="EUR", key="refund-1")

    fail_refund(shop.server.book, refund.id)

    failed = shop.provider.fetch_refund(refund.id)
    assert (failed.status, failed.failure) == (Done.FAILED, "expired or canceled card")
    assert shop.provider.fetch_payment(taken.id).refunded_minor == 0
    now = datetime.now(UTC)
    lines = shop.provider.book(now - timedelta(hours=1), now + timedelta(hours=1))
    assert sum(line.amount_minor for line in lines if line.about is ResourceType.REFUND) == 0


def test_what_the_payer_did_in_front_is_seen_by_confirm(shop: StripeShop):
    state = shop.provider.create(CHARGE)
    shop.server.pay_in_front(state.id, "pm_card_chargeDeclined")
    with pytest.raises(Declined, match="declined"):
        shop.provider.confirm(state.id, method=None, key="look-1")

    shop.server.pay_in_front(state.id, "pm_card_visa")
    assert shop.provider.confirm(state.id, method=None, key="look-2").status is ProviderStatus.AUTHORIZED


def test_a_challenge_that_is_not_passed_needs_another_card(shop: StripeShop):
    waiting = shop.challenge(shop.provider.create(CHARGE))

    shop.server.answer_challenge(waiting.id, passed=False)

    state = shop.provider.fetch_payment(waiting.id)
    assert (state.status, state.failure != "") == (ProviderStatus.REQUIRES_PAYMENT_METHOD, True)


def test_without_a_way_back_a_challenge_is_shown_by_the_front_end(shop: StripeShop):
    state = shop.provider.create(replace(CHARGE, return_url=""))

    waiting = shop.challenge(state)

    assert (waiting.status, waiting.next_url, waiting.client_secret != "") == (ProviderStatus.REQUIRES_ACTION, "", True)


def test_an_unknown_card_is_refused_and_not_declined(shop: StripeShop):
    state = shop.provider.create(CHARGE)

    with pytest.raises(Refused) as caught:
        shop.provider.confirm(state.id, method="pm_unheard_of", key="pay")
    assert (type(caught.value), caught.value.code) == (Refused, "resource_missing")


def test_an_empty_balance_is_no_reason_to_give_up(shop: StripeShop):
    payee = shop.payee()
    shop.server.book.is_poor = True

    with pytest.raises(NotSettled):
        shop.provider.pay_out(payee_id=payee, amount_minor=100, currency="EUR", key="payout-1", reference="x")


def test_who_has_not_finished_is_not_paid(shop: StripeShop):
    asked = {"user_id": 7, "email": "bo@shop.test", "country": "LV"}
    payee = shop.provider.register_payee(payee_id=None, key="payee-1", **asked)

    with pytest.raises(Refused):
        shop.provider.pay_out(payee_id=payee.id, amount_minor=100, currency="EUR", key="payout-1", reference="x")


def test_each_of_several_webhook_secrets_fits(shop: StripeShop):
    authorized(shop)
    body = shop.webhooks()[0][1]

    for secret in ("whsec_of_connect", WEBHOOK_SECRET):
        assert shop.provider.read_notice(*sign(body, secret=secret)).about is ResourceType.PAYMENT


def test_a_subscription_whose_card_wants_a_challenge_waits_for_it(shop: StripeShop):
    waiting = subscribe(shop, method="pm_card_threeDSecure2Required")

    assert (waiting.status, waiting.client_secret != "", waiting.next_url[:4]) == (Paid.INCOMPLETE, True, "http")


def test_another_plan_that_cannot_be_paid_waits_and_the_old_one_stays(shop: StripeShop):
    running = subscribe(shop, method="pm_card_visa")
    method = shop.server.book.things[running.id]["default_payment_method"]
    shop.server.book.things[method]["card"] = "pm_card_chargeDeclined"

    waiting = shop.provider.change_plan(running.id, terms=BUSINESS, key="change-1")
    assert (waiting.plan_key, waiting.status, waiting.next_url[:4]) == ("pro", Paid.ACTIVE, "http")

    shop.subscriber_pays(waiting)
    assert shop.provider.fetch_subscription(running.id).plan_key == "business"


def test_a_customer_is_kept(shop: StripeShop):
    first = subscribe(shop, method="pm_card_visa")

    again = shop.provider.subscribe(
        terms=BUSINESS, customer_id=first.customer_id, user_id=5, email="anna@shop.test", method=None, key="sub-2"
    )

    assert again.customer_id == first.customer_id
    assert len(shop.server.book.of_kind("customer")) == 1


def test_a_key_that_is_still_being_worked_on_is_asked_for_later(shop: StripeShop):
    shop.server.refuse_next = 409

    with pytest.raises(Unreachable):
        shop.provider.create(CHARGE)
    assert shop.provider.create(CHARGE).key == "intent-1"
