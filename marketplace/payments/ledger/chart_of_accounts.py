"""Chart of accounts: which account of the ledger a payment, refund, payout or invoice moves money between; each is at
one provider.

Apart from the rooms: accounting's own list, pure names without statements.
"""

from typing import Any

from marketplace.payments.ledger.service import Account


def at_provider(thing: Any) -> Account:
    """What the provider holds for us; negative, as the provider owes it."""
    return Account("provider", thing.currency, thing.provider)


def escrow(payment: Any, part: Any) -> Account:
    """Money held for one share of a payment."""
    about = f"share:{part.id}"
    return Account("escrow", payment.currency, payment.provider, owner_id=payment.payer_id, about=about)


def promotions(payment: Any) -> Account:
    """What the marketplace adds to payments out of its own pocket; below zero, as it is spent."""
    return Account("promotions", payment.currency, payment.provider)


def disputed(payment: Any) -> Account:
    """What banks took back and have not decided on; below zero, as somebody will owe it or the bank gives it back."""
    return Account("disputed", payment.currency, payment.provider)


def losses(payment: Any) -> Account:
    """Fees of chargebacks, and what nobody can be asked for; below zero, as it is spent."""
    return Account("losses", payment.currency, payment.provider)


def refunds_in_transit(payment: Any) -> Account:
    """Refunds to a payer that the provider has not sent yet."""
    return Account("refund", payment.currency, payment.provider, owner_id=payment.payer_id)


def available(user_id: int, thing: Any) -> Account:
    """A person's wallet at the provider of this payment or payout."""
    return Account("available", thing.currency, thing.provider, owner_id=user_id)


def going_out(payout: Any) -> Account:
    """Payouts that have not reached the person's bank yet."""
    return Account("payout", payout.currency, payout.provider, owner_id=payout.user_id)


def fees(payment: Any) -> Account:
    """The marketplace's revenue from payments at this provider."""
    return Account("fees", payment.currency, payment.provider)


def taxes(payment: Any) -> Account:
    """Taxes on fees, owed to the state."""
    return Account("taxes", payment.currency, payment.provider)


def plans(invoice: Any) -> Account:
    """The marketplace's revenue from subscriptions at this provider."""
    return Account("plans", invoice.currency, invoice.provider)
