"""Which accounts of the ledger a payment, a refund and a payout move money between."""

from typing import Any

from marketplace.payments.ledger.service import Account


def at_provider(thing: Any) -> Account:
    """What the provider of a payment or payout holds for us; negative, as it is owed to us."""
    return Account("provider", thing.currency, about=thing.provider)


def escrow(payment: Any) -> Account:
    """What is held for one payment."""
    return Account("escrow", payment.currency, owner_id=payment.payer_id, about=f"payment:{payment.id}")


def going_back(payment: Any) -> Account:
    """What is on its way back to a payer."""
    return Account("refund", payment.currency, owner_id=payment.payer_id)


def available(user_id: int, currency: str) -> Account:
    """A person's wallet."""
    return Account("available", currency, owner_id=user_id)


def going_out(payout: Any) -> Account:
    """What is on its way to the person's bank."""
    return Account("payout", payout.currency, owner_id=payout.user_id)


def fees(currency: str) -> Account:
    """What the marketplace earned."""
    return Account("fees", currency)


def taxes(currency: str) -> Account:
    """Taxes on fees, owed to whoever collects them."""
    return Account("taxes", currency)


def plans(currency: str) -> Account:
    """What the marketplace earned by its own plans."""
    return Account("plans", currency)
