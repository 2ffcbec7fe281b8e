"""Which accounts of the ledger a payment, a refund and a payout move money between; each is money at one provider.

Apart from the rooms: accounting's own list, pure names without statements.
"""

from typing import Any

from marketplace.payments.ledger.service import Account


def at_provider(thing: Any) -> Account:
    """What the provider of a payment, payout or invoice holds for us; negative, as it is owed to us."""
    return Account("provider", thing.currency, thing.provider)


def escrow(payment: Any) -> Account:
    """What is held for one payment."""
    about = f"payment:{payment.id}"
    return Account("escrow", payment.currency, payment.provider, owner_id=payment.payer_id, about=about)


def going_back(payment: Any) -> Account:
    """What is on its way back to a payer."""
    return Account("refund", payment.currency, payment.provider, owner_id=payment.payer_id)


def available(user_id: int, thing: Any) -> Account:
    """The part of a person's wallet that came by the provider of this payment, or leaves by that of this payout."""
    return Account("available", thing.currency, thing.provider, owner_id=user_id)


def going_out(payout: Any) -> Account:
    """What is on its way to the person's bank."""
    return Account("payout", payout.currency, payout.provider, owner_id=payout.user_id)


def fees(payment: Any) -> Account:
    """What the marketplace earned by payments there."""
    return Account("fees", payment.currency, payment.provider)


def taxes(payment: Any) -> Account:
    """Taxes on fees, owed to whoever collects them."""
    return Account("taxes", payment.currency, payment.provider)


def plans(invoice: Any) -> Account:
    """What the marketplace earned by its own plans there."""
    return Account("plans", invoice.currency, invoice.provider)
