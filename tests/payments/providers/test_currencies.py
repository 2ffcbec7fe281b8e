"""No adapter may be wrong by a factor of a hundred: what goes over the wire in currencies with 0, 2 and 3 decimals."""

import json
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kit.money import CURRENCIES, exponent
from marketplace.payments.providers.paypal import money as paypal_money
from marketplace.payments.providers.provider import Refused
from marketplace.payments.providers.stripe import money as stripe_money
from tests.payments.deals import captured, charge
from tests.payments.shops import PayPalShop, Shop, StripeShop

WHOLE_AMOUNTS = {"EUR": 9999, "JPY": 500, "KWD": 5120, "ISK": 5, "UGX": 5, "MGA": 500, "HUF": 1000, "TWD": 1000}
STRIPE_SAYS = {"EUR": 9999, "JPY": 500, "KWD": 5120, "ISK": 500, "UGX": 500, "MGA": 5, "HUF": 1000, "TWD": 1000}
PAYPAL_SAYS = {"EUR": "99.99", "JPY": "500", "HUF": "10", "TWD": "10"}
amounts = st.integers(min_value=0, max_value=10**12)


@pytest.mark.parametrize("currency", WHOLE_AMOUNTS)
def test_every_amount_comes_back_as_it_went(shop: Shop, currency: str):
    if currency not in shop.decimals:
        with pytest.raises(Refused, match=r"\.$"):
            shop.provider.create(charge(WHOLE_AMOUNTS[currency], currency))
        return
    amount = WHOLE_AMOUNTS[currency]

    taken = captured(shop, amount, currency)
    refund = shop.provider.refund(taken.id, amount_minor=amount, currency=currency, key="refund-1")

    assert (taken.amount_minor, taken.captured_minor, taken.currency) == (amount, amount, currency)
    assert refund.amount_minor == amount
    assert shop.provider.fetch_payment(taken.id).refunded_minor == amount


@pytest.mark.parametrize("currency", STRIPE_SAYS)
def test_stripe_is_told_its_own_units(currency: str):
    shop = StripeShop()
    shop.provider.create(charge(WHOLE_AMOUNTS[currency], currency))
    shop.stop()

    sent = parse_qs(shop.server.server.seen[-1].body.decode())
    assert (sent["amount"], sent["currency"]) == ([str(STRIPE_SAYS[currency])], [currency.lower()])


@pytest.mark.parametrize("currency", PAYPAL_SAYS)
def test_paypal_is_told_decimal_strings(currency: str):
    shop = PayPalShop()
    shop.provider.create(charge(WHOLE_AMOUNTS[currency], currency))
    shop.stop()

    unit = json.loads(shop.server.server.seen[-1].body)["purchase_units"][0]
    assert unit["amount"] == {"currency_code": currency, "value": PAYPAL_SAYS[currency]}


FRACTIONS = [
    (StripeShop, "KWD", 5124),
    (StripeShop, "MGA", 550),
    (StripeShop, "IQD", 5000),
    (PayPalShop, "HUF", 1050),
    (PayPalShop, "TWD", 1001),
    (PayPalShop, "KWD", 5120),
]


@pytest.mark.parametrize(("kind", "currency", "amount"), FRACTIONS)
def test_what_a_provider_has_no_unit_for_is_refused_before_it_is_sent(kind: Any, currency: str, amount: int):
    shop = kind()

    with pytest.raises(Refused, match=r"(takes no|only).*\.$"):
        shop.provider.create(charge(amount, currency))

    assert shop.requests() == 0
    shop.stop()


@pytest.mark.parametrize("currency", ["HUF", "TWD"])
def test_stripe_pays_out_whole_forints_and_taiwan_dollars_only(currency: str):
    shop = StripeShop()
    to = {"payee_id": shop.payee(), "currency": currency, "reference": "task:7"}

    with pytest.raises(Refused, match="whole"):
        shop.provider.pay_out(amount_minor=1045, key="payout-1", **to)
    assert shop.provider.pay_out(amount_minor=1000, key="payout-2", **to).amount_minor == 1000
    shop.stop()


@given(amount=amounts, currency=st.sampled_from(sorted(CURRENCIES)))
def test_stripe_gets_the_exact_amount_or_none(amount: int, currency: str):
    try:
        sent = stripe_money.to_stripe(amount, currency)
    except Refused:
        return
    assert stripe_money.from_stripe(sent, currency) == amount


@given(amount=amounts, currency=st.sampled_from(sorted(paypal_money.CURRENCIES)))
def test_paypal_gets_the_exact_amount_or_none(amount: int, currency: str):
    try:
        sent = paypal_money.to_paypal(amount, currency)
    except Refused:
        assert currency in paypal_money.WHOLE
        return
    assert Decimal(sent) == Decimal(amount).scaleb(-exponent(currency))
    assert paypal_money.from_paypal(sent, currency) == amount


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
@pytest.mark.parametrize(
    ("step", "takes"),
    [
        (stripe_money.step, stripe_money.to_stripe),
        (partial(stripe_money.step, paid_out=True), stripe_money.to_be_paid_out),
        (paypal_money.step, paypal_money.to_paypal),
    ],
)
def test_the_step_that_is_told_is_the_one_that_is_taken(step: Any, takes: Any, currency: str):
    least = step(currency)
    for minor in range(1, 1001):
        if least and minor % least == 0:
            takes(minor, currency)
        else:
            with pytest.raises(Refused):
                takes(minor, currency)
