"""Payments by PayPal: orders are authorised first and captured later, payees need nothing but an address.

Apart from the rooms: a gateway: all abilities in one class.
"""

from marketplace.payments.providers.paypal.settlement_report import Book
from marketplace.payments.providers.paypal.subscriptions import Subscriptions
from marketplace.payments.providers.paypal.webhooks import Notices


class PayPalProvider(Subscriptions, Notices, Book):
    """One account, all of what we use of it."""
