"""Disputes of payments, as Stripe has them (https://docs.stripe.com/api/disputes/object).

Apart from the rooms: a gateway's part: one ability.
"""

from io import BytesIO
from typing import Any

from stripe.params import DisputeUpdateParams, DisputeUpdateParamsEvidence

from marketplace.payments.providers.provider import ChargebackState, Dispute, EvidenceFile
from marketplace.payments.providers.stripe.account import Account, asking, moment
from marketplace.payments.providers.stripe.money import from_stripe

# An inquiry (`warning_…`) takes no money and ends without taking any.
ENDED = {"won": Dispute.WON, "warning_closed": Dispute.WON, "prevented": Dispute.WON, "lost": Dispute.LOST}

PURPOSE = "dispute_evidence"


class Chargebacks(Account):
    """What payers' banks dispute."""

    def fetch_chargeback(self, chargeback_id: str) -> ChargebackState:
        """How it stands; raises Unknown."""
        with asking():
            return _state(self._api.disputes.retrieve(chargeback_id).to_dict())

    def submit_evidence(
        self, chargeback_id: str, *, evidence: str, file: EvidenceFile | None = None, key: str
    ) -> ChargebackState:
        """Send it to the bank at once; Refused once the dispute is closed."""
        said: DisputeUpdateParamsEvidence = {"uncategorized_text": evidence}
        with asking():
            if file:
                paper = _Named(file.data)
                paper.name = file.name
                sent = self._api.files.create({"purpose": PURPOSE, "file": paper}, {"idempotency_key": f"{key}:file"})
                said["uncategorized_file"] = sent.id
            update: DisputeUpdateParams = {"evidence": said, "submit": True}
            return _state(self._api.disputes.update(chargeback_id, update, {"idempotency_key": key}).to_dict())


class _Named(BytesIO):
    """Bytes that Stripe's library takes for an open file."""

    name: str


def _state(dispute: dict[str, Any]) -> ChargebackState:
    currency = dispute["currency"].upper()
    moved = dispute.get("balance_transactions") or []
    amount = from_stripe(dispute["amount"], currency)
    is_out = sum(one["amount"] for one in moved) < 0
    fees = sum(one["fee"] for one in moved if one["currency"].upper() == currency)
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return ChargebackState(
        id=dispute["id"],
        payment_id=dispute.get("payment_intent") or "",
        status=ENDED.get(dispute["status"], Dispute.OPEN),
        amount_minor=amount,
        currency=currency,
        withdrawn_minor=amount if is_out else 0,
        fee_minor=max(from_stripe(fees, currency), 0),
        reason=dispute.get("reason") or "",
        evidence_due_at=moment(due) if due else None,
    )
