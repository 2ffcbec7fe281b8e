"""Disputes of payments, as PayPal has them (https://developer.paypal.com/docs/api/customer-disputes/v1/).

While a dispute goes on PayPal holds the money back inside our balance, which moves nothing; it leaves once the dispute
is lost.

Apart from the rooms: a gateway's part: one ability.
"""

from datetime import datetime

from marketplace.payments.providers.paypal.answers import PayPalJson
from marketplace.payments.providers.paypal.money import minor_of
from marketplace.payments.providers.paypal.payments import Payments
from marketplace.payments.providers.provider import ChargebackState, Dispute, EvidenceFile, Unknown

PATH = "/v1/customer/disputes"
LONGEST_NOTE = 2000
FOR_THE_BUYER = {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}


class Chargebacks(Payments):
    """What payers, or their banks, dispute."""

    def fetch_chargeback(self, chargeback_id: str) -> ChargebackState:
        """How it stands; raises Unknown, of what is no payment of ours too."""
        dispute = self._api.get(f"{PATH}/{{}}", chargeback_id)
        about = dispute.get("disputed_transactions") or [{}]
        capture_id = about[0].get("seller_transaction_id") or ""
        if not capture_id:
            raise Unknown(f"{chargeback_id} is about no transaction of ours.")
        return _state(dispute, self._order_of(capture_id))

    def submit_evidence(
        self, chargeback_id: str, *, evidence: str, file: EvidenceFile | None = None, key: str
    ) -> ChargebackState:
        """A note with the case, and a paper; Refused once it is over, or where PayPal asks for nothing."""
        said = {"evidences": [{"evidence_type": "OTHER", "notes": evidence[:LONGEST_NOTE]}]}
        files = {"evidence-file": (file.name, file.data, file.content_type)} if file else {}
        self._api.post_form(f"{PATH}/{{}}/provide-evidence", chargeback_id, said=said, files=files, key=key)
        return self.fetch_chargeback(chargeback_id)

    def dispute_about(self, capture_id: str) -> str:
        """The id of the latest dispute about a capture; empty where there is none."""
        found = self._api.get(PATH, disputed_transaction_id=capture_id).get("items") or []
        return str(found[0]["dispute_id"]) if found else ""


def _state(dispute: PayPalJson, payment_id: str) -> ChargebackState:
    outcome = dispute.get("dispute_outcome") or {}
    amount = minor_of(dispute["dispute_amount"])
    status = Dispute.OPEN
    if dispute["status"] == "RESOLVED":
        status = Dispute.LOST if outcome.get("outcome_code") in FOR_THE_BUYER else Dispute.WON
    taken = minor_of(outcome["amount_refunded"]) if "amount_refunded" in outcome else amount
    due = dispute.get("seller_response_due_date")
    return ChargebackState(
        id=dispute["dispute_id"],
        payment_id=payment_id,
        status=status,
        amount_minor=amount,
        currency=dispute["dispute_amount"]["currency_code"],
        withdrawn_minor=taken if status is Dispute.LOST else 0,
        reason=(dispute.get("reason") or "").lower(),
        evidence_due_at=datetime.fromisoformat(due) if due else None,
    )
