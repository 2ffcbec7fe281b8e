"""What Stripe and PayPal say of payments that are disputed, and of money that is not settled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.payments.providers.provider import (
    ChargebackState,
    Dispute,
    EvidenceFile,
    Refused,
    ResourceType,
    SettlementLine,
)
from tests.payments.deals import charge
from tests.payments.shops import PayPalShop, StripeShop
from tests.servers import paypal_disputes, stripe_disputes

BEGINNING, END = datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=1)
Shop = StripeShop | PayPalShop


def captured(shop: Shop) -> str:
    """A payment whose money is ours; its id."""
    state = shop.pay(shop.provider.create(charge(4000)))
    return shop.provider.capture(state.id, amount_minor=4000, key="take").id


def told(shop: Shop) -> list[tuple[ResourceType, str]]:
    """What the webhooks since the last time are about, disputes only."""
    read = [shop.provider.read_notice(headers, body) for headers, body in shop.webhooks()]
    return [(one.about, one.object_id) for one in read if one.about is ResourceType.CHARGEBACK]


def lines(shop: Shop) -> list[int]:
    """What the report says of disputes."""
    found: list[SettlementLine] = list(shop.provider.book(BEGINNING, datetime.now(UTC) + END))
    return [one.amount_minor for one in found if one.about is ResourceType.CHARGEBACK]


OPEN: dict[str, Callable[..., str]] = {"stripe": stripe_disputes.open_dispute, "paypal": paypal_disputes.open_dispute}
WON = {"stripe": "won", "paypal": "RESOLVED_SELLER_FAVOUR"}
LOST = {"stripe": "lost", "paypal": "RESOLVED_BUYER_FAVOUR"}
TAKEN = {"stripe": (4000, 1500), "paypal": (0, 0)}


def decide(shop: Shop, dispute: str, outcome: str) -> ChargebackState:
    """The bank's word, and what the adapter makes of it."""
    module: Any = stripe_disputes if shop.name == "stripe" else paypal_disputes
    module.decide(shop.server.book, dispute, outcome)
    return shop.provider.fetch_chargeback(dispute)


@pytest.fixture(params=["stripe", "paypal"])
def at(request: pytest.FixtureRequest) -> Shop:
    """One of the two."""
    found: Shop = request.getfixturevalue(request.param)
    return found


def test_a_dispute_is_told_and_fetched_with_what_it_took(at: Shop) -> None:
    payment = captured(at)
    dispute = OPEN[at.name](at.server.book, payment)

    assert (ResourceType.CHARGEBACK, dispute) in told(at)
    state = at.provider.fetch_chargeback(dispute)
    assert (state.payment_id, state.status, state.amount_minor) == (payment, Dispute.OPEN, 4000)
    assert (state.withdrawn_minor, state.fee_minor) == TAKEN[at.name]
    assert state.evidence_due_at is not None


def test_evidence_is_sent_once_and_refused_when_it_is_decided(at: Shop) -> None:
    dispute = OPEN[at.name](at.server.book, captured(at))

    for _ in range(2):
        state = at.provider.submit_evidence(dispute, evidence="She confirmed it.", key="answer")
        assert state.status is Dispute.OPEN
    assert str(at.server.book.things[dispute]).count("She confirmed it.") == 1
    decide(at, dispute, LOST[at.name])
    with pytest.raises(Refused):
        at.provider.submit_evidence(dispute, evidence="But she did.", key="again")


def test_a_paper_goes_with_it_once(at: Shop) -> None:
    dispute = OPEN[at.name](at.server.book, captured(at))
    paper = EvidenceFile(name="signed.pdf", content_type="application/pdf", data=b"%PDF-1.7 \xff\r\n %%EOF")

    for _ in range(2):
        at.provider.submit_evidence(dispute, evidence="She signed.", file=paper, key="answer")
    kept = at.server.book.things[dispute]
    if at.name == "stripe":
        file = at.server.book.things[kept["evidence"]["uncategorized_file"]]
        assert (file["filename"], file["size"]) == ("signed.pdf", len(paper.data))
        assert at.server.count("file") == 1
    else:
        assert kept["evidences"][0]["documents"] == [{"name": "signed.pdf", "type": "application/pdf"}]
    assert str(kept).count("She signed.") == 1


def test_won_it_costs_at_most_the_fee(at: Shop) -> None:
    dispute = OPEN[at.name](at.server.book, captured(at))
    state = decide(at, dispute, WON[at.name])
    assert (state.status, state.withdrawn_minor) == (Dispute.WON, 0)
    assert sum(lines(at)) == state.fee_minor


def test_lost_the_report_says_what_left(at: Shop) -> None:
    dispute = OPEN[at.name](at.server.book, captured(at))
    state = decide(at, dispute, LOST[at.name])
    assert (state.status, state.withdrawn_minor) == (Dispute.LOST, 4000)
    assert sum(lines(at)) == state.withdrawn_minor + state.fee_minor


def test_an_inquiry_takes_nothing(stripe: StripeShop) -> None:
    dispute = stripe_disputes.open_dispute(stripe.server.book, captured(stripe), is_inquiry=True)
    assert stripe.provider.fetch_chargeback(dispute).withdrawn_minor == 0
    assert decide(stripe, dispute, "warning_closed").status is Dispute.WON
    assert lines(stripe) == []


def test_a_disputed_charge_cannot_be_refunded(stripe: StripeShop) -> None:
    payment = captured(stripe)
    stripe_disputes.open_dispute(stripe.server.book, payment)
    with pytest.raises(Refused) as refused:
        stripe.provider.refund(payment, amount_minor=1000, currency="EUR", key="back")
    assert refused.value.code == "charge_disputed"


def test_stripe_says_from_when_a_payment_can_be_paid_out(stripe: StripeShop) -> None:
    stripe.server.book.settles_after = 3 * 86_400
    state = stripe.provider.fetch_payment(captured(stripe))
    assert state.available_from is not None
    assert state.available_from > datetime.now(UTC) + timedelta(days=2)
