"""What every payment provider has to do with a payment, whoever it is; who cannot and why stands in conftest."""

import inspect
from dataclasses import replace

import pytest

from marketplace.payments.providers.provider import (
    Declined,
    Done,
    Provider,
    ProviderStatus,
    Refused,
    Unknown,
    Unreachable,
)
from tests.payments.deals import CHARGE, authorized, captured, charge, refund_with, subscribe
from tests.payments.shops import DECLINED, DECLINED_LATER, GOOD, Shop

TROUBLE = ["down", "busy", "reset", "slow"]


def test_it_has_every_ability_with_the_parameters_that_are_asked_for(shop: Shop):
    abilities = [one for one in Provider.__mro__ if getattr(one, "_is_protocol", False)]
    asked = {
        name: do for one in abilities for name, do in vars(one).items() if inspect.isfunction(do) and name[0] != "_"
    }

    has = {name: inspect.signature(getattr(type(shop.provider), name)).parameters.keys() for name in asked}
    assert has == {name: inspect.signature(do).parameters.keys() for name, do in asked.items()}
    assert shop.provider.name
    assert shop.provider.payouts_remembered


def test_a_new_payment_carries_our_key_and_waits_for_the_payer(shop: Shop):
    state = shop.provider.create(CHARGE)

    assert state.status in {ProviderStatus.REQUIRES_PAYMENT_METHOD, ProviderStatus.REQUIRES_ACTION}
    assert (state.amount_minor, state.currency, state.key) == (9900, "EUR", "intent-1")
    assert state.client_secret or state.next_url
    assert shop.provider.fetch_payment(state.id) == state


def test_what_is_authorized_is_captured(shop: Shop):
    held = authorized(shop)
    taken = shop.provider.capture(held.id, amount_minor=9900, key="capture")

    assert (held.status, held.captured_minor) == (ProviderStatus.AUTHORIZED, 0)
    assert (taken.status, taken.captured_minor, taken.refunded_minor) == (ProviderStatus.CAPTURED, 9900, 0)


def test_a_part_can_be_captured_and_the_rest_is_let_go_of(shop: Shop):
    held = authorized(shop)
    taken = shop.provider.capture(held.id, amount_minor=7000, key="capture")

    assert (taken.status, taken.captured_minor, taken.refunded_minor) == (ProviderStatus.CAPTURED, 7000, 0)


def test_more_than_was_authorized_is_not_captured(shop: Shop):
    held = authorized(shop)

    with pytest.raises(Refused):
        shop.provider.capture(held.id, amount_minor=9901, key="capture")
    assert shop.provider.fetch_payment(held.id).captured_minor == 0


def test_a_challenge_sends_the_payer_away_and_then_the_money_is_held(shop: Shop):
    waiting = shop.challenge(shop.provider.create(CHARGE))
    assert (waiting.status, waiting.next_url[:4]) == (ProviderStatus.REQUIRES_ACTION, "http")

    shop.pass_challenge(waiting)

    assert shop.provider.fetch_payment(waiting.id).status is ProviderStatus.AUTHORIZED
    assert shop.provider.confirm(waiting.id, method=None, key="again").status is ProviderStatus.AUTHORIZED


def test_a_declined_payer_is_told_and_may_try_another_way(shop: Shop):
    state = shop.provider.create(CHARGE)

    with pytest.raises(Declined, match=r"declined.*\.$"):
        shop.pay(state, DECLINED, key="first")

    assert shop.count("held") == 0
    assert shop.pay(state, GOOD, key="second").status is ProviderStatus.AUTHORIZED


def test_a_card_that_came_along_is_tried_at_once(shop: Shop):
    assert shop.provider.create(replace(CHARGE, method="pm_card_visa")).status is ProviderStatus.AUTHORIZED


def test_a_card_that_is_declined_at_once_leaves_a_payment_that_can_be_found(shop: Shop):
    with pytest.raises(Declined):
        shop.provider.create(replace(CHARGE, method="pm_card_chargeDeclined"))

    found = shop.provider.find_payment("intent-1")
    assert found is not None
    assert (found.status, "declined" in found.failure) == (ProviderStatus.REQUIRES_PAYMENT_METHOD, True)


def test_a_bank_that_breaks_its_word_is_a_decline_and_nothing_is_captured(shop: Shop):
    held = shop.pay(shop.provider.create(CHARGE), DECLINED_LATER)

    with pytest.raises(Declined):
        shop.provider.capture(held.id, amount_minor=9900, key="capture")

    state = shop.provider.fetch_payment(held.id)
    assert (state.captured_minor, state.failure != "") == (0, True)


def test_what_is_cancelled_before_capture_cannot_be_captured(shop: Shop):
    held = authorized(shop)

    assert shop.provider.cancel(held.id, key="cancel").status is ProviderStatus.CANCELLED
    assert shop.provider.cancel(held.id, key="cancel again").status is ProviderStatus.CANCELLED
    with pytest.raises(Refused):
        shop.provider.capture(held.id, amount_minor=9900, key="capture")


def test_what_nobody_paid_is_cancelled_too(shop: Shop):
    assert shop.provider.cancel(shop.provider.create(CHARGE).id, key="cancel").status is ProviderStatus.CANCELLED


def test_cancelling_what_is_captured_answers_that_it_is(shop: Shop):
    taken = captured(shop)

    assert shop.provider.cancel(taken.id, key="cancel") == taken


def test_a_payment_is_refunded_in_parts_until_nothing_is_left(shop: Shop):
    taken = captured(shop)

    part = shop.provider.refund(taken.id, amount_minor=3300, currency="EUR", key="refund-1")
    rest = shop.provider.refund(taken.id, amount_minor=6600, currency="EUR", key="refund-2")

    assert (part.status, part.amount_minor, part.payment_id, part.key) == (Done.DONE, 3300, taken.id, "refund-1")
    assert shop.provider.fetch_refund(rest.id) == rest
    assert shop.provider.fetch_payment(taken.id).refunded_minor == 9900
    assert shop.provider.fetch_payment(taken.id).status is ProviderStatus.CAPTURED


def test_more_than_is_left_is_not_refunded(shop: Shop):
    taken = captured(shop)
    shop.provider.refund(taken.id, amount_minor=9000, currency="EUR", key="refund-1")

    with pytest.raises(Refused):
        shop.provider.refund(taken.id, amount_minor=901, currency="EUR", key="refund-2")
    assert shop.provider.fetch_payment(taken.id).refunded_minor == 9000


def test_more_than_the_captured_part_is_not_refunded(shop: Shop):
    held = authorized(shop)
    shop.provider.capture(held.id, amount_minor=5000, key="capture")

    with pytest.raises(Refused):
        shop.provider.refund(held.id, amount_minor=5001, currency="EUR", key="refund-1")
    refund = shop.provider.refund(held.id, amount_minor=5000, currency="EUR", key="refund-2")
    assert refund.status is Done.DONE


def test_what_was_not_captured_is_not_refunded(shop: Shop):
    held = authorized(shop)

    with pytest.raises(Refused):
        shop.provider.refund(held.id, amount_minor=100, currency="EUR", key="refund-1")


def test_the_same_keys_again_do_everything_once(shop: Shop):
    for _ in range(2):
        taken = captured(shop)
        shop.provider.refund(taken.id, amount_minor=100, currency="EUR", key="refund-1")

    assert [shop.count(what) for what in ("payments", "held", "refunds")] == [1, 1, 1]
    assert shop.provider.fetch_payment(taken.id).refunded_minor == 100


def test_a_key_that_was_used_for_something_else_is_refused(shop: Shop):
    shop.provider.create(charge(9900))

    with pytest.raises(Refused):
        shop.provider.create(charge(9800))
    assert shop.count("payments") == 1


def test_a_lost_answer_to_a_new_payment_is_asked_for_again(shop: Shop):
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.create(CHARGE)

    assert shop.provider.create(CHARGE).key == "intent-1"
    assert shop.count("payments") == 1


def test_a_lost_answer_to_a_capture_or_a_refund_is_asked_for_again(shop: Shop):
    held = authorized(shop)
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.capture(held.id, amount_minor=9900, key="capture")
    assert shop.provider.capture(held.id, amount_minor=9900, key="capture").captured_minor == 9900

    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.refund(held.id, amount_minor=100, currency="EUR", key="refund-1")
    again = shop.provider.refund(held.id, amount_minor=100, currency="EUR", key="refund-1")

    assert refund_with(shop, held.id, "refund-1") == again
    assert (shop.count("held"), shop.count("refunds")) == (1, 1)


def test_a_payment_whose_answer_was_lost_is_found(shop: Shop):
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.create(CHARGE)

    found = shop.provider.find_payment("intent-1")
    assert found is not None
    assert found == shop.provider.create(CHARGE)


def test_a_captured_payment_is_found_by_its_key(shop: Shop):
    captured(shop, key="intent-2")
    taken = captured(shop)

    assert shop.provider.find_payment("intent-1") == taken


def test_a_refund_and_a_subscription_whose_answers_were_lost_are_found(shop: Shop):
    taken = captured(shop)
    with shop.in_mood("answer lost"), pytest.raises(Unreachable):
        shop.provider.refund(taken.id, amount_minor=100, currency="EUR", key="refund-1")
    begun = subscribe(shop)

    refund = refund_with(shop, taken.id, "refund-1")
    assert refund is not None
    assert (refund.amount_minor, refund.status) == (100, Done.DONE)
    assert shop.provider.find_subscription("sub-1") == begun


def test_what_nobody_sent_is_not_found(shop: Shop):
    taken = captured(shop)

    assert shop.provider.find_payment("nothing") is None
    assert refund_with(shop, taken.id, "nothing") is None
    assert shop.provider.find_payout("nothing") is None
    assert shop.provider.find_subscription("nothing") is None


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_is_unreachable_asked_once_and_the_same_key_works_later(shop: Shop, trouble: str):
    shop.provider.create(charge(key="before"))
    before = shop.requests()

    with shop.in_mood(trouble), pytest.raises(Unreachable):
        shop.provider.create(CHARGE)
    assert shop.requests() == before + 1

    assert shop.provider.create(CHARGE).key == "intent-1"
    assert shop.count("payments") == 2


def test_a_key_of_ours_that_is_wrong_fails_nothing_for_good_and_is_told_nobody(shop: Shop):
    with pytest.raises(Unreachable) as caught:
        shop.with_a_wrong_secret().create(CHARGE)

    assert "secret" not in str(caught.value)
    assert "secret" not in repr(shop.provider)


@pytest.mark.parametrize("ask", ["fetch_payment", "fetch_refund", "fetch_payout", "fetch_subscription"])
def test_what_the_provider_does_not_know_is_unknown(shop: Shop, ask: str):
    with pytest.raises(Unknown):
        getattr(shop.provider, ask)("unheard-of")


def test_an_unknown_payment_cannot_be_touched(shop: Shop):
    with pytest.raises(Unknown):
        shop.provider.capture("unheard-of", amount_minor=1, key="a")
    with pytest.raises(Unknown):
        shop.provider.refund("unheard-of", amount_minor=1, currency="EUR", key="b")
    with pytest.raises(Unknown):
        shop.provider.confirm("unheard-of", method=None, key="c")


def test_an_unknown_payee_is_unknown(shop: Shop):
    with pytest.raises(Unknown):
        shop.provider.fetch_payee("acct_unheard_of")
