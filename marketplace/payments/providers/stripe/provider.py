"""Payments by Stripe: cards are authorised first and captured later, payees have Express accounts.

Apart from the rooms: a gateway: all abilities in one class.
"""

from marketplace.payments.providers.stripe.chargebacks import Chargebacks
from marketplace.payments.providers.stripe.payments import Payments
from marketplace.payments.providers.stripe.payouts import Payouts
from marketplace.payments.providers.stripe.settlement_report import Book
from marketplace.payments.providers.stripe.subscriptions import Subscriptions
from marketplace.payments.providers.stripe.webhooks import Notices


class StripeProvider(Payments, Chargebacks, Payouts, Subscriptions, Notices, Book):
    """One account, all of what we use of it."""
