"""The test cards of the fake provider: https://docs.stripe.com/testing (names as there, where they exist).

Apart from the rooms: a gateway's part: a table of test data.
"""

from typing import Any

from marketplace.payments.providers.provider import ProviderStatus

DECLINES = {
    "pm_card_chargeDeclined": "Your card was declined.",
    "pm_card_chargeDeclinedInsufficientFunds": "Your card has insufficient funds.",
    "pm_card_chargeDeclinedExpiredCard": "Your card has expired.",
}
CHALLENGES = frozenset({"pm_card_threeDSecure2Required", "pm_card_authenticationRequired"})
CAPTURE_DECLINES = "pm_card_captureDeclined"  # authorises, and then the bank does not keep its word
REFUND_FAILS = "pm_card_refundFail"
WORKS_ONCE = "pm_card_worksOnce"  # pays what a subscription begins with, and nothing after it
CARDS = frozenset(
    {"pm_card_visa", "pm_card_mastercard", CAPTURE_DECLINES, REFUND_FAILS, WORKS_ONCE, *DECLINES, *CHALLENGES}
)


def tried(data: dict[str, Any], method: str | None) -> tuple[ProviderStatus, str]:
    """What comes of trying to pay by this card; without one, of a challenge that was passed."""
    if method is None:
        return (
            ProviderStatus.AUTHORIZED
            if data["status"] == ProviderStatus.REQUIRES_ACTION.value
            else ProviderStatus(data["status"])
        ), ""
    if method not in CARDS:
        return ProviderStatus.REQUIRES_PAYMENT_METHOD, f"There is no test card {method[:60]!r}."
    if method in DECLINES:
        return ProviderStatus.REQUIRES_PAYMENT_METHOD, DECLINES[method]
    return (ProviderStatus.REQUIRES_ACTION if method in CHALLENGES else ProviderStatus.AUTHORIZED), ""
