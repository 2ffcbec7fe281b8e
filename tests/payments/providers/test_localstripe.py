"""Stripe's adapter with localstripe, somebody else's reading of Stripe's documentation.

It knows no idempotency keys, no Connect and no prices, refunds more than there is and confirms declined cards: what is
promised there is tested with our own Stripe only, and so are challenges, for which it knows no card by name.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from marketplace.payments.providers.provider import (
    Done,
    PaymentState,
    ProviderStatus,
    ResourceType,
    Unknown,
    WebhookEvent,
)
from marketplace.payments.providers.stripe.provider import StripeProvider
from tests.payments.deals import charge
from tests.servers.localstripe import SECRET_KEY, WEBHOOK_SECRET, LocalStripe
from tests.servers.server import ServerUnavailable
from tests.servers.waiting import until
from tests.servers.web import Reply, WebServer


@pytest.fixture(scope="module")
def server() -> Iterator[LocalStripe]:
    try:
        server = LocalStripe()
    except ServerUnavailable as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture
def provider(server: LocalStripe) -> StripeProvider:
    return StripeProvider(
        secret_key=SECRET_KEY, publishable_key="pk_test", webhook_secret=WEBHOOK_SECRET, api_url=server.url
    )


@pytest.fixture
def listener(server: LocalStripe) -> Iterator[WebServer]:
    web = WebServer(lambda _: Reply())
    server.send_webhooks_to(f"http://{web.address}/")
    yield web
    web.stop()


def hold(provider: StripeProvider, amount_minor: int, *, key: str) -> PaymentState:
    """With the card at once: it does not know how to confirm with one later."""
    return provider.create(replace(charge(amount_minor, key=key), method="pm_card_visa"))


def test_a_payment_is_authorized_captured_and_refunded(provider: StripeProvider):
    held = hold(provider, 9900, key="one")
    taken = provider.capture(held.id, amount_minor=9900, key="capture")
    refund = provider.refund(taken.id, amount_minor=900, currency="EUR", key="refund-1")

    assert [held.status, taken.status] == [ProviderStatus.AUTHORIZED, ProviderStatus.CAPTURED]
    assert (taken.key, taken.captured_minor, refund.amount_minor, refund.status) == ("one", 9900, 900, Done.DONE)
    assert provider.fetch_payment(taken.id).refunded_minor == 900
    assert provider.refunds_of(taken.id) == [refund]


def test_a_payment_is_cancelled(provider: StripeProvider):
    held = hold(provider, 500, key="two")

    assert provider.cancel(held.id, key="cancel").status is ProviderStatus.CANCELLED


def test_a_payment_waits_for_its_payer(provider: StripeProvider):
    waiting = provider.create(charge(9900, key="three"))

    assert (waiting.status, waiting.client_secret != "") == (ProviderStatus.REQUIRES_PAYMENT_METHOD, True)


def test_what_it_does_not_know_is_unknown(provider: StripeProvider):
    with pytest.raises(Unknown):
        provider.fetch_payment("pi_unheard_of")


def test_its_webhooks_are_read(provider: StripeProvider, listener: WebServer):
    taken = provider.capture(hold(provider, 700, key="five").id, amount_minor=700, key="capture")

    def read() -> list[WebhookEvent]:
        notices = [provider.read_notice(one.headers, one.body) for one in list(listener.seen)]
        return [notice for notice in notices if notice.object_id == taken.id]

    assert {notice.about for notice in until("the webhook", read)} == {ResourceType.PAYMENT}
