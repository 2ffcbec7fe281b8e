"""Every scenario runs with every provider; where one has no equivalent, DIFFERENT says why."""

from collections.abc import Callable, Iterator

import pytest

from tests.payments.fake_shop import FakeShop
from tests.payments.shops import PayPalShop, Shop, StripeShop

SHOPS: dict[str, Callable[..., Shop]] = {
    "stripe": StripeShop,
    "paypal": PayPalShop,
    "fake": FakeShop,
}
CHOSEN_THERE = "how to pay is chosen at PayPal, there is no method to try at once"
NO_LIST = "PayPal has no list of orders; one whose address nobody got cannot be paid"
DIFFERENT = {
    ("paypal", "test_a_card_that_is_declined_at_once_leaves_a_payment_that_can_be_found"): CHOSEN_THERE,
    ("paypal", "test_a_card_that_came_along_is_tried_at_once"): CHOSEN_THERE,
    ("paypal", "test_a_payment_whose_answer_was_lost_is_found"): NO_LIST,
    ("paypal", "test_what_nobody_sent_is_not_found"): "PayPal cannot tell that it does not have a payout",
    ("paypal", "test_who_is_new_tells_the_provider_who_they_are_and_can_be_paid"): "an address is all PayPal needs",
    ("paypal", "test_an_unknown_payee_is_unknown"): "PayPal tells nobody whether an address has an account",
    ("paypal", "test_a_subscription_with_a_card_is_paid_at_once"): CHOSEN_THERE,
    ("paypal", "test_a_subscription_whose_card_is_declined_waits_for_another"): CHOSEN_THERE,
    ("paypal", "test_another_plan_costs_what_is_left_of_the_period"): "PayPal prorates nothing",
    ("fake", "test_a_webhook_that_was_altered_is_forged"): "its webhooks carry no amount that could be altered",
    ("fake", "test_a_key_of_ours_that_is_wrong_fails_nothing_for_good_and_is_told_nobody"): "it needs no key of ours",
    ("fake", "test_who_is_new_tells_the_provider_who_they_are_and_can_be_paid"): "nothing has to be shown to a fake",
    ("fake", "test_another_plan_waits_for_the_payer_to_agree"): "at the fake who pays by card has agreed",
    ("stripe", "test_another_plan_waits_for_the_payer_to_agree"): "at Stripe who pays by card has agreed",
}


@pytest.fixture(params=SHOPS)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """One provider; at the end it has nothing to complain of."""
    if reason := DIFFERENT.get((request.param, request.node.originalname)):
        pytest.skip(f"{request.param}: {reason}")
    apps = [request.getfixturevalue("apps")["sqlite"]] if request.param == "fake" else []
    shop = SHOPS[request.param](*apps)
    try:
        yield shop
        assert shop.complaints() == []
    finally:
        shop.stop()


@pytest.fixture
def stripe() -> Iterator[StripeShop]:
    """A local Stripe that complains of nothing."""
    shop = StripeShop()
    yield shop
    assert shop.complaints() == []
    shop.stop()


@pytest.fixture
def paypal() -> Iterator[PayPalShop]:
    """A local PayPal that complains of nothing."""
    shop = PayPalShop()
    yield shop
    assert shop.complaints() == []
    shop.stop()
