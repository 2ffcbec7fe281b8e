"""Payments by PayPal: orders are authorised first and captured later, payees need nothing but an address."""

from marketplace.payments.gateways.paypal.book import Book
from marketplace.payments.gateways.paypal.notices import Notices
from marketplace.payments.gateways.paypal.subscriptions import Subscriptions


class PayPalProvider(Subscriptions, Notices, Book):
    """One account, all of what we use of it."""
