"""What every payment provider has to do with payees, subscriptions, webhooks and its book."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.payments.providers.provider import (
    Declined,
    Done,
    Forged,
    Paid,
    PayoutState,
    Refused,
    ResourceType,
    Unreachable,
)
from tests.payments.deals import BUSINESS, PRO, authorized, captured, subscribe, subscribed
from tests.payments.shops import Shop

ASKERS = {
    ResourceType.PAYMENT: "fetch_payment",
    ResourceType.REFUND: "fetch_refund",
    ResourceType.PAYOUT: "fetch_payout",
    ResourceType.PAYEE: "fetch_payee",
    ResourceType.SUBSCRIPTION: "fetch_subscription",
}


def pay_out(shop: Shop, *, key: str = "payout-1", amount_minor: int = 4200) -> PayoutState:
    return shop.provider.pay_out(
        payee_id=shop.payee(), amount_minor=amount_minor, currency="EUR", key=key, reference="task:7"
    )


def test_who_is_new_tells_the_provider_who_they_are_and_can_be_paid(shop: Shop):
    asked = {"user_id": 7, "email": "bo@shop.test", "country": "LV"}
    new = shop.provider.register_payee(payee_id=None, key="payee-1", **asked)
    assert (new.ready, new.url[:4]) == (False, "http")

    again = shop.provider.register_payee(payee_id=new.id, key="payee-2", **asked)
    assert (again.id, again.url != new.url) == (new.id, True)

    shop.finish_onboarding(new.id)
    done = shop.provider.register_payee(payee_id=new.id, key="payee-3", **asked)
    assert (done.id, done.ready, done.url) == (new.id, True, "")
    assert shop.provider.fetch_payee(new.id).ready


def test_a_payout_arrives_and_may_come_back_later(shop: Shop):
    sent = pay_out(shop)
    shop.payout_arrives(sent.id)
    arrived = shop.provider.fetch_payout(sent.id)
    shop.payout_comes_back(sent.id)
    back = shop.provider.fetch_payout(sent.id)

    assert (sent.amount_minor, sent.currency, sent.key) == (4200, "EUR", "payout-1")
    assert (arrived.status, arrived.failure) == (Done.DONE, "")
    assert (back.status, back.failure != "") == (Done.FAILED, True)


def test_a_payout_is_made_once_a_key_however_often_it_is_sent(shop: Shop):
    payee = {"payee_id": shop.payee(), "amount_minor": 4200, "currency": "EUR", "reference": "task:7"}
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.pay_out(key="payout-1", **payee)
    first = shop.provider.pay_out(key="payout-1", **payee)

    assert shop.provider.pay_out(key="payout-1", **payee) == first
    assert shop.count("payouts") == 1


@pytest.mark.parametrize("trouble", ["down", "busy", "reset", "slow"])
def test_a_payout_in_trouble_may_have_been_made(shop: Shop, trouble: str):
    payee = {"payee_id": shop.payee(), "amount_minor": 4200, "currency": "EUR", "reference": "task:7"}
    shop.provider.pay_out(key="before", **payee)

    with shop.in_mood(trouble), pytest.raises(Unreachable):
        shop.provider.pay_out(key="payout-1", **payee)

    assert shop.provider.pay_out(key="payout-1", **payee).key == "payout-1"
    assert shop.count("payouts") == 2


def test_a_payout_whose_answer_was_lost_is_found(shop: Shop):
    pay_out(shop, key="another")
    sent = pay_out(shop)
    shop.payout_arrives(sent.id)

    found = shop.provider.find_payout("payout-1")
    assert found is not None
    assert (found.id, found.amount_minor) == (sent.id, 4200)


def test_a_subscription_waits_for_its_payer_and_then_runs(shop: Shop):
    begun = subscribe(shop)
    assert (begun.status, begun.plan_key, begun.paid_minor) == (Paid.INCOMPLETE, "pro", 0)
    assert begun.next_url.startswith("http")

    shop.subscriber_pays(begun)

    running = shop.provider.fetch_subscription(begun.id)
    assert (running.status, running.currency, running.paid_minor) == (Paid.ACTIVE, "EUR", 1000)
    assert [invoice.amount_minor for invoice in running.invoices] == [1000]
    assert running.period_end is not None
    assert timedelta(days=27) < running.period_end - datetime.now(UTC) < timedelta(days=32)
    assert (running.next_url, running.cancel_at_period_end) == ("", False)


def test_a_subscription_with_a_card_is_paid_at_once(shop: Shop):
    assert subscribe(shop, method="pm_card_visa").status is Paid.ACTIVE


def test_a_subscription_whose_card_is_declined_waits_for_another(shop: Shop):
    with pytest.raises(Declined):
        subscribe(shop, method="pm_card_chargeDeclined")

    found = shop.provider.find_subscription("sub-1")
    assert found is not None
    assert (found.status, found.paid_minor) == (Paid.INCOMPLETE, 0)


def test_a_subscription_is_begun_once_a_key(shop: Shop):
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        subscribe(shop)
    begun = subscribe(shop)

    assert subscribe(shop).id == begun.id
    assert shop.count("subscriptions") == 1


def test_an_invoice_goes_back_once_a_key_and_was_paid_all_the_same(shop: Shop):
    running = subscribed(shop)
    invoice, how = running.invoices[0].id, {"currency": "EUR", "key": "back-1"}
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.refund_invoice(invoice, amount_minor=400, **how)
    back = shop.provider.refund_invoice(invoice, amount_minor=400, **how)

    assert (back.status, back.amount_minor, back.currency) == (Done.DONE, 400, "EUR")
    assert shop.provider.fetch_refund(back.id).status is Done.DONE
    assert shop.count("refunds") == 1
    with pytest.raises(Refused):
        shop.provider.refund_invoice(invoice, amount_minor=601, currency="EUR", key="back-2")
    assert shop.provider.fetch_subscription(running.id).paid_minor == 1000
    lines = shop.provider.book(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1))
    found = [(one.object_id, one.key, one.amount_minor) for one in lines if one.about is ResourceType.REFUND]
    assert found == [(back.id, "back-1", 400)]


def test_another_plan_costs_what_is_left_of_the_period(shop: Shop):
    running = subscribed(shop)
    shop.half_a_period_passes(running)

    changed = shop.provider.change_plan(running.id, terms=BUSINESS, key="change-1")

    assert (changed.plan_key, changed.status) == ("business", Paid.ACTIVE)
    assert changed.paid_minor == 1000 + (3000 - 1000) // 2
    assert shop.provider.change_plan(running.id, terms=BUSINESS, key="change-1").paid_minor == changed.paid_minor


def test_another_plan_waits_for_the_payer_to_agree(shop: Shop):
    running = subscribed(shop)

    asked = shop.provider.change_plan(running.id, terms=BUSINESS, key="change-1")
    assert (asked.plan_key, asked.next_url[:4]) == ("pro", "http")

    shop.subscriber_pays(asked)
    assert shop.provider.fetch_subscription(running.id).plan_key == "business"


def test_new_terms_of_a_plan_leave_those_who_have_it_alone(shop: Shop):
    before = subscribed(shop)
    dearer = replace(PRO, amount_minor=1500)
    after = shop.provider.subscribe(
        terms=dearer, customer_id=None, user_id=6, email="cy@shop.test", method=None, key="sub-2"
    )
    shop.subscriber_pays(after)

    assert shop.provider.fetch_subscription(before.id) == before
    assert shop.provider.fetch_subscription(after.id).paid_minor == 1500
    assert shop.provider.fetch_subscription(after.id).plan_key == "pro"


def test_a_subscription_ends_with_what_is_paid_for(shop: Shop):
    running = subscribed(shop)

    ending = shop.provider.end_subscription(running.id, at_once=False, key="end-1")

    assert (ending.status, ending.cancel_at_period_end) == (Paid.ACTIVE, True)
    assert ending.period_end is not None
    assert abs(ending.period_end - running.period_end) < timedelta(days=4)  # type: ignore[operator]  # months differ
    assert shop.provider.end_subscription(running.id, at_once=False, key="end-2") == ending


def test_a_subscription_ends_now(shop: Shop):
    running = subscribed(shop)

    ended = shop.provider.end_subscription(running.id, at_once=True, key="end-1")

    assert (ended.status, ended.paid_minor) == (Paid.ENDED, 1000)
    assert shop.provider.end_subscription(running.id, at_once=True, key="end-2") == ended
    assert shop.provider.fetch_subscription(running.id).status is Paid.ENDED


def everything_happens(shop: Shop) -> None:
    taken = captured(shop)
    shop.provider.refund(taken.id, amount_minor=1100, currency="EUR", key="refund-1")
    shop.provider.cancel(authorized(shop, key="intent-2").id, key="cancel")
    shop.payout_arrives(pay_out(shop).id)
    subscribed(shop)


def test_webhooks_name_what_can_be_asked_for(shop: Shop):
    everything_happens(shop)

    notices = [shop.provider.read_notice(headers, body) for headers, body in shop.webhooks()]

    assert {ResourceType.PAYMENT, ResourceType.REFUND, ResourceType.PAYOUT, ResourceType.SUBSCRIPTION} <= {
        notice.about for notice in notices
    }
    assert len({notice.event_id for notice in notices}) == len(notices)
    for notice in notices:
        assert getattr(shop.provider, ASKERS[notice.about])(notice.object_id).id == notice.object_id
        assert abs(notice.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_webhooks_that_come_twice_and_in_any_order_are_told_apart_by_their_id(shop: Shop):
    everything_happens(shop)

    notices = [shop.provider.read_notice(*webhook) for webhook in shop.webhooks(twice=True, shuffled=True)]

    assert 2 * len({notice.event_id for notice in notices}) == len(notices)


def test_a_webhook_signed_by_somebody_else_is_forged(shop: Shop):
    captured(shop)
    headers, body = shop.webhooks()[0]

    for name in headers:
        if name.lower() in {"stripe-signature", "paypal-transmission-sig"}:
            with pytest.raises(Forged):
                shop.provider.read_notice({**headers, name: headers[name][:-4] + "beef"}, body)
    with pytest.raises(Forged):
        shop.provider.read_notice({}, body)


def test_a_webhook_that_was_altered_is_forged(shop: Shop):
    captured(shop)
    headers, body = shop.webhooks()[-1]

    for other in (body.replace(b"9900", b"9901").replace(b"99.00", b"99.01"), body + b" ", b"\xff", b""):
        with pytest.raises(Forged):
            shop.provider.read_notice(headers, other)


def test_a_webhook_that_is_too_old_is_forged(shop: Shop):
    captured(shop)
    body = shop.webhooks()[-1][1]

    assert shop.provider.read_notice(*shop.sign(body)).about is ResourceType.PAYMENT
    with pytest.raises(Forged):
        shop.provider.read_notice(*shop.sign(body, age=shop.too_old))


def test_headers_are_found_however_they_are_written(shop: Shop):
    captured(shop)
    headers, body = shop.webhooks()[-1]

    notice = shop.provider.read_notice({name.upper(): value for name, value in headers.items()}, body)

    assert notice.event_id == json.loads(body)["id"]


def test_the_book_sums_up_what_happened(shop: Shop):
    taken = captured(shop, 9900)
    part = authorized(shop, 5000, key="intent-2")
    shop.provider.capture(part.id, amount_minor=3000, key="capture-2")
    refund = shop.provider.refund(taken.id, amount_minor=1100, currency="EUR", key="refund-1")
    shop.provider.cancel(authorized(shop, key="intent-3").id, key="cancel")
    sent, back = pay_out(shop), pay_out(shop, key="payout-2", amount_minor=700)
    shop.payout_arrives(sent.id)
    shop.payout_arrives(back.id)
    shop.payout_comes_back(back.id)
    invoice = subscribed(shop).invoices[0]

    now = datetime.now(UTC)
    lines = list(shop.provider.book(now - timedelta(days=40), now + timedelta(minutes=1)))

    assert sorted((line.about, line.object_id, line.amount_minor) for line in lines) == sorted(
        [
            (ResourceType.PAYMENT, taken.id, 9900),
            (ResourceType.PAYMENT, part.id, 3000),
            (ResourceType.REFUND, refund.id, 1100),
            (ResourceType.PAYOUT, sent.id, 4200),
            (ResourceType.PAYOUT, back.id, 700),
            (ResourceType.PAYOUT, back.id, -700),
            (ResourceType.SUBSCRIPTION, invoice.id, 1000),
        ]
    )
    assert {line.key for line in lines} >= {"intent-1", "intent-2", "refund-1", "payout-1", "payout-2"}
    assert {line.currency for line in lines} == {"EUR"}


def test_the_books_of_two_times_that_follow_each_other_have_every_line_once(shop: Shop):
    captured(shop)
    now = datetime.now(UTC)
    start, end = now - timedelta(minutes=1), now + timedelta(minutes=1)
    made_at = next(shop.provider.book(start, end)).made_at

    for middle in (made_at, made_at + timedelta(milliseconds=500), made_at + timedelta(seconds=1)):
        assert len([*shop.provider.book(start, middle), *shop.provider.book(middle, end)]) == 1


def test_the_book_of_another_time_is_empty(shop: Shop):
    captured(shop)

    now = datetime.now(UTC)
    assert list(shop.provider.book(now - timedelta(days=3), now - timedelta(days=2))) == []
