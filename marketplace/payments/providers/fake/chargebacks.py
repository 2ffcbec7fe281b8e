"""Chargebacks at the fake provider: opened, won and lost by whoever tries it out.

Apart from the rooms: a gateway's part: one ability.
"""

import secrets
from datetime import datetime, timedelta

from marketplace.kit.clock import now
from marketplace.payments.providers.fake.book import FakeBook, ThingRow
from marketplace.payments.providers.provider import ChargebackState, Dispute, EvidenceFile, Refused, ResourceType

TIME_TO_ANSWER = timedelta(days=7)
FEE_MINOR = 1500  # as Stripe charges in EUR


class FakeChargebacks(FakeBook):
    """What a bank does with payments that are captured."""

    def fetch_chargeback(self, chargeback_id: str) -> ChargebackState:
        """The chargeback's state; raises Unknown."""
        return self._do("fetch_chargeback", lambda: _state(self._thing("chargeback", chargeback_id)))

    def submit_evidence(
        self, chargeback_id: str, *, evidence: str, file: EvidenceFile | None = None, key: str
    ) -> ChargebackState:
        """Keep the answer; raises Refused once it is decided."""
        said = {"evidence": evidence, "file": file.name if file else ""}

        def work() -> ChargebackState:
            thing = self._thing("chargeback", chargeback_id)
            if thing.data["status"] != Dispute.OPEN.value:
                raise Refused("This dispute is closed.", "dispute_closed")
            return _state(self._change(thing, "charge.dispute.updated", ResourceType.CHARGEBACK, **said))

        return self._do("submit_evidence", work)

    def dispute(self, payment_id: str, *, amount_minor: int | None = None, reason: str = "fraudulent") -> str:
        """For trying it out: the payer's bank takes a payment back (all that was captured, by default); returns the
        chargeback's id. Raises Refused where nothing is captured or one is open."""

        def work() -> str:
            payment = self._thing("payment", payment_id)
            most = payment.data["captured_minor"] - payment.data.get("lost_minor", 0)
            minor = most if amount_minor is None else amount_minor
            if payment.data.get("disputed") or not 0 < minor <= most:
                raise Refused("This payment cannot be disputed.", "not_disputable")
            data = {"payment": payment_id, "status": Dispute.OPEN.value, "amount_minor": minor, "fee_minor": FEE_MINOR}
            data |= {"currency": payment.data["currency"], "reason": reason, "withdrawn_minor": minor}
            due = {"evidence_due_at": (now() + TIME_TO_ANSWER).isoformat()}
            thing, _ = self._made("chargeback", "dp", f"dispute-{secrets.token_hex(8)}", {**data, **due})
            self._write(ResourceType.CHARGEBACK, thing, minor + FEE_MINOR)
            self._change(payment, "charge.updated", ResourceType.PAYMENT, disputed=True)
            self._tell("charge.dispute.created", ResourceType.CHARGEBACK, thing.name)
            return thing.name

        return self._do("dispute", work)

    def decide(self, chargeback_id: str, *, won: bool) -> None:
        """For trying it out: the bank gives the money back to us, or keeps it for the payer."""

        def work() -> None:
            thing = self._thing("chargeback", chargeback_id)
            payment = self._thing("payment", thing.data["payment"])
            lost = payment.data.get("lost_minor", 0) + (0 if won else thing.data["amount_minor"])
            self._change(payment, "charge.updated", ResourceType.PAYMENT, disputed=False, lost_minor=lost)
            if won:
                self._write(ResourceType.CHARGEBACK, thing, -thing.data["withdrawn_minor"])
            said = {"status": (Dispute.WON if won else Dispute.LOST).value}
            kept = {"withdrawn_minor": 0 if won else thing.data["withdrawn_minor"]}
            self._change(thing, "charge.dispute.closed", ResourceType.CHARGEBACK, **said, **kept)

        self._do("decide", work)


def _state(thing: ThingRow) -> ChargebackState:
    data = thing.data
    return ChargebackState(
        id=thing.name,
        payment_id=data["payment"],
        status=Dispute(data["status"]),
        amount_minor=data["amount_minor"],
        currency=data["currency"],
        withdrawn_minor=data["withdrawn_minor"],
        fee_minor=data["fee_minor"],
        reason=data["reason"],
        evidence_due_at=datetime.fromisoformat(data["evidence_due_at"]),
    )
