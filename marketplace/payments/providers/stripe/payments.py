"""PaymentIntents that are captured by hand, and their refunds.

Apart from the rooms: a gateway's part: one ability.
"""

from datetime import datetime
from typing import Any

from stripe import InvalidRequestError
from stripe.params import PaymentIntentConfirmParams, PaymentIntentCreateParams

from marketplace.kit.clock import now
from marketplace.payments.providers.provider import (
    Charge,
    Declined,
    Done,
    PaymentState,
    ProviderStatus,
    RefundState,
    Refused,
)
from marketplace.payments.providers.stripe.account import NOT_YET_SEARCHABLE, Account, asking, carries, moment, with_key
from marketplace.payments.providers.stripe.money import from_stripe, to_stripe

CHARGE = ["latest_charge.balance_transaction"]  # says when it is settled
STATES = {
    "requires_payment_method": ProviderStatus.REQUIRES_PAYMENT_METHOD,
    "requires_confirmation": ProviderStatus.REQUIRES_PAYMENT_METHOD,
    "requires_action": ProviderStatus.REQUIRES_ACTION,
    "processing": ProviderStatus.PROCESSING,
    "requires_capture": ProviderStatus.AUTHORIZED,
    "succeeded": ProviderStatus.CAPTURED,
    "canceled": ProviderStatus.CANCELLED,
}
REFUNDS = {"succeeded": Done.DONE, "failed": Done.FAILED, "canceled": Done.FAILED}
ON_THEIR_WAY = {ProviderStatus.PROCESSING, ProviderStatus.AUTHORIZED, ProviderStatus.CAPTURED}
LONGEST_METADATA = 500


class Payments(Account):
    """What a payer pays."""

    def create(self, charge: Charge) -> PaymentState:
        """A PaymentIntent; one whose card is declined at once exists all the same, `find_payment` knows it."""
        params: PaymentIntentCreateParams = {
            "amount": to_stripe(charge.amount_minor, charge.currency),
            "currency": charge.currency.lower(),
            "capture_method": "manual",
            "description": charge.description,
            "metadata": _metadata(charge),
            "automatic_payment_methods": {
                "enabled": True,
                "allow_redirects": "always" if charge.return_url else "never",
            },
            "expand": CHARGE,
        }
        if charge.method:
            params |= {"payment_method": charge.method, "confirm": True}
            if charge.return_url:
                params["return_url"] = charge.return_url
        with asking():
            return _payment(self._api.payment_intents.create(params, {"idempotency_key": charge.key}).to_dict())

    def confirm(self, payment_id: str, *, method: str | None, key: str) -> PaymentState:
        """Pay by this card, or see what came of what the payer gave to Stripe's own front end; raises Declined."""
        with asking():
            intent = self._intent(payment_id)
            state = _payment(intent)
            if state.status in ON_THEIR_WAY or (method is None and state.status is ProviderStatus.REQUIRES_ACTION):
                return state
            if method is None and state.failure:
                raise Declined(state.failure, intent["last_payment_error"].get("decline_code") or "")
            params: PaymentIntentConfirmParams = {"expand": CHARGE}
            if method:
                params["payment_method"] = method
            if back := intent["metadata"].get("return_url"):
                params["return_url"] = back
            return _payment(self._api.payment_intents.confirm(payment_id, params, {"idempotency_key": key}).to_dict())

    def fetch_payment(self, payment_id: str) -> PaymentState:
        """How it stands; raises Unknown."""
        with asking():
            return _payment(self._intent(payment_id))

    def find_payment(self, key: str) -> PaymentState | None:
        """By search, and among the latest, which a search does not see yet."""
        expand = [f"data.{one}" for one in CHARGE]
        with asking():
            found = self._api.payment_intents.search({"query": with_key(key), "expand": expand})
            since = int((now() - NOT_YET_SEARCHABLE).timestamp())
            latest = self._api.payment_intents.list({"created": {"gte": since}, "limit": 100, "expand": expand})
            for intent in (*found.data, *latest.auto_paging_iter()):
                if carries(payment := intent.to_dict(), key):
                    return _payment(payment)
        return None

    def capture(self, payment_id: str, *, amount_minor: int, key: str) -> PaymentState:
        """Take it; Stripe lets go of the rest. What was captured at that amount already is answered as it is."""
        with asking():
            state = _payment(self._intent(payment_id))
            if state.status is ProviderStatus.CAPTURED and state.captured_minor == amount_minor:
                return state
            amount = to_stripe(amount_minor, state.currency)
            return _payment(
                self._api.payment_intents.capture(
                    payment_id, {"amount_to_capture": amount, "expand": CHARGE}, {"idempotency_key": key}
                ).to_dict()
            )

    def cancel(self, payment_id: str, *, key: str) -> PaymentState:
        """Give it up; one that is captured or cancelled already is answered as it is."""
        with asking():
            try:
                intent = self._api.payment_intents.cancel(payment_id, {"expand": CHARGE}, {"idempotency_key": key})
            except InvalidRequestError as error:
                state = _payment(self._intent(payment_id))
                if state.status not in {ProviderStatus.CAPTURED, ProviderStatus.CANCELLED}:
                    raise error
                return state
            return _payment(intent.to_dict())

    def refund(self, payment_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send it back; more than is left is Refused."""
        amount = to_stripe(amount_minor, currency)
        with asking():
            refund = self._api.refunds.create(
                {"payment_intent": payment_id, "amount": amount, "metadata": {"key": key}}, {"idempotency_key": key}
            )
            return _refund(refund.to_dict())

    def refund_invoice(self, invoice_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Of the payment that paid it; raises Refused where none did, as with a credit of the customer's."""
        with asking():
            paid = self._api.invoice_payments.list({"invoice": invoice_id, "status": "paid", "limit": 1})
            found = paid.to_dict()["data"]
        if not found:
            raise Refused("No payment at Stripe paid this invoice.", "invoice_not_paid")
        intent = str(found[0]["payment"]["payment_intent"])
        return self.refund(intent, amount_minor=amount_minor, currency=currency, key=key)

    def fetch_refund(self, refund_id: str) -> RefundState:
        """How it stands; raises Unknown."""
        with asking():
            return _refund(self._api.refunds.retrieve(refund_id).to_dict())

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """All of them; raises Unknown."""
        with asking():
            refunds = self._api.refunds.list({"payment_intent": payment_id, "limit": 100})
            return [_refund(refund.to_dict()) for refund in refunds.auto_paging_iter()]

    def _intent(self, payment_id: str) -> dict[str, Any]:
        return self._api.payment_intents.retrieve(payment_id, {"expand": CHARGE}).to_dict()


def _metadata(charge: Charge) -> dict[str, str]:
    """The return URL too: only a confirmation may send it, and ours is not told it again."""
    kept = {"key": charge.key, "reference": charge.reference}
    if 0 < len(charge.return_url) <= LONGEST_METADATA:
        kept["return_url"] = charge.return_url
    return kept


def _payment(intent: dict[str, Any]) -> PaymentState:
    currency = intent["currency"].upper()
    charge = intent.get("latest_charge") or {}
    return PaymentState(
        id=intent["id"],
        status=STATES[intent["status"]],
        amount_minor=from_stripe(intent["amount"], currency),
        currency=currency,
        captured_minor=from_stripe(intent.get("amount_received") or 0, currency),
        refunded_minor=from_stripe(_refunded(charge), currency),
        client_secret=intent.get("client_secret") or "",
        next_url=((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url") or "",
        failure=(intent.get("last_payment_error") or {}).get("message") or "",
        key=(intent.get("metadata") or {}).get("key", ""),
        available_from=_available_from(charge),
    )


def _available_from(charge: dict[str, Any]) -> datetime | None:
    """When what was captured reaches our balance; unknown until Stripe has booked it."""
    booked = charge.get("balance_transaction")
    return moment(booked["available_on"]) if isinstance(booked, dict) else None


def _refunded(charge: dict[str, Any]) -> int:
    """Stripe books the rest that was not captured as refunded as well."""
    if not charge.get("captured"):
        return 0
    rest = charge["amount"] - charge["amount_captured"]
    return max(0, int(charge["amount_refunded"] - rest))


def _refund(refund: dict[str, Any]) -> RefundState:
    currency = refund["currency"].upper()
    return RefundState(
        id=refund["id"],
        status=REFUNDS.get(refund["status"], Done.PENDING),
        amount_minor=from_stripe(refund["amount"], currency),
        currency=currency,
        payment_id=refund.get("payment_intent") or "",
        failure=(refund.get("failure_reason") or "").replace("_", " "),
        key=(refund.get("metadata") or {}).get("key", ""),
    )
