"""Payments by Stripe: cards are authorised first and captured later, payees have Express accounts."""

from marketplace.payments.gateways.stripe.book import Book
from marketplace.payments.gateways.stripe.notices import Notices
from marketplace.payments.gateways.stripe.payments import Payments
from marketplace.payments.gateways.stripe.payouts import Payouts
from marketplace.payments.gateways.stripe.subscriptions import Subscriptions


class StripeProvider(Payments, Payouts, Subscriptions, Notices, Book):
    """One account, all of what we use of it."""
