"""A provider that takes no money: the embedded default, for trying everything out.

It behaves like Stripe with test cards: the same states, a decline is told the same way, the same key is done once,
and webhooks are signed. Test cards are in test_cards.py.

Apart from the rooms: a gateway, the embedded one.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from marketplace.core.database.db import fetch
from marketplace.kit.clock import now
from marketplace.payments.providers.fake.book import LINES, THINGS, FakeBook, ThingRow
from marketplace.payments.providers.fake.chargebacks import FakeChargebacks
from marketplace.payments.providers.fake.subscriptions import FakeSubscriptions
from marketplace.payments.providers.fake.test_cards import CAPTURE_DECLINES, REFUND_FAILS, tried
from marketplace.payments.providers.provider import (
    Charge,
    Declined,
    Done,
    NotSettled,
    PayeeState,
    PaymentState,
    PayoutState,
    ProviderStatus,
    RefundState,
    Refused,
    ResourceType,
    SettlementLine,
)

WAITING = frozenset({ProviderStatus.REQUIRES_PAYMENT_METHOD.value, ProviderStatus.REQUIRES_ACTION.value})
NOT_RELEASED = "The bank did not release the money."
CLOSED_BANK = "ZZ"  # a country for trying out: every payout to it fails


V = TypeVar("V")


class FakeProvider(FakeChargebacks, FakeSubscriptions, FakeBook):
    """The embedded provider; challenges and onboarding take place at `site_url`."""

    def __init__(
        self,
        secret: str,
        site_url: str,
        faults: list[tuple[str, str]] | None = None,
        settles_after: timedelta = timedelta(0),
    ) -> None:
        super().__init__(secret, faults)
        self.site_url, self.settles_after = site_url, settles_after

    def public_key(self) -> str:
        """Empty: a front end talks to us alone."""
        return ""

    def step(self, currency: str, *, paid_out: bool = False) -> int:
        """1: every amount of every currency is taken."""
        return 1

    def create(self, charge: Charge) -> PaymentState:
        """A payment that waits for a card, or is tried by `charge.method` at once."""
        data = {
            "status": ProviderStatus.REQUIRES_PAYMENT_METHOD.value,
            "amount_minor": charge.amount_minor,
            "currency": charge.currency,
            "captured_minor": 0,
            "refunded_minor": 0,
            "keys": [],
            "method": None,
            "failure": "",
        }

        def work() -> PaymentState:
            thing, _ = self._made("payment", "pi", charge.key, data)
            if (thing.data["amount_minor"], thing.data["currency"]) != (charge.amount_minor, charge.currency):
                raise Refused("This key was used for another payment.", "idempotency_error")
            return self._payment(thing)

        state = self._do("create", work)
        return self.confirm(state.id, method=charge.method, key=f"{charge.key}+") if charge.method else state

    def confirm(self, payment_id: str, *, method: str | None, key: str) -> PaymentState:
        """Pay by a test card; None passes the challenge. Raises Declined."""

        def work() -> tuple[PaymentState, str]:
            thing = self._thing("payment", payment_id)
            if key in thing.data["keys"] or thing.data["status"] not in WAITING:
                return self._payment(thing), ""
            status, failure = tried(thing.data, method)
            card = {"method": method or thing.data["method"], "keys": [*thing.data["keys"], key]}
            kind = f"payment_intent.{'payment_failed' if failure else status.value}"
            changed = self._change(thing, kind, ResourceType.PAYMENT, status=status.value, failure=failure, **card)
            return self._payment(changed), failure

        state, failure = self._do("confirm", work)
        if failure:
            raise Declined(failure, "card_declined")
        return state

    def fetch_payment(self, payment_id: str) -> PaymentState:
        """The payment's state; raises Unknown."""
        return self._do("fetch_payment", lambda: self._payment(self._thing("payment", payment_id)))

    def find_payment(self, key: str) -> PaymentState | None:
        """The payment created with this key; None without one."""
        return self._do("find_payment", lambda: self._found(self._with_key("payment", key), self._payment))

    def capture(self, payment_id: str, *, amount_minor: int, key: str) -> PaymentState:
        """Capture this much; raises Declined, or Refused where nothing is authorised."""

        def work() -> tuple[PaymentState, str]:
            thing = self._thing("payment", payment_id)
            if key in thing.data["keys"]:
                return self._payment(thing), ""
            if thing.data["status"] != ProviderStatus.AUTHORIZED.value or amount_minor > thing.data["amount_minor"]:
                raise Refused(f"This payment is {thing.data['status']}.", "payment_intent_unexpected_state")
            if thing.data["method"] == CAPTURE_DECLINES:
                failed = {"status": ProviderStatus.CANCELLED.value, "failure": NOT_RELEASED}
                self._change(thing, "payment_intent.canceled", ResourceType.PAYMENT, **failed)
                return self._payment(thing), NOT_RELEASED
            kept: dict[str, Any] = {"captured_minor": amount_minor, "keys": [*thing.data["keys"], key]}
            kept["settled_at"] = (now() + self.settles_after).isoformat()
            self._write(ResourceType.PAYMENT, thing, amount_minor)
            kind = "payment_intent.succeeded"
            return self._payment(
                self._change(thing, kind, ResourceType.PAYMENT, status=ProviderStatus.CAPTURED.value, **kept)
            ), ""

        state, failure = self._do("capture", work)
        if failure:
            raise Declined(failure, "card_declined")
        return state

    def cancel(self, payment_id: str, *, key: str) -> PaymentState:
        """Cancel what is not captured; a captured payment stays so."""

        def work() -> PaymentState:
            thing = self._thing("payment", payment_id)
            if thing.data["status"] in {ProviderStatus.CAPTURED.value, ProviderStatus.CANCELLED.value}:
                return self._payment(thing)
            changed = self._change(
                thing, "payment_intent.canceled", ResourceType.PAYMENT, status=ProviderStatus.CANCELLED.value
            )
            return self._payment(changed)

        return self._do("cancel", work)

    def refund(self, payment_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send this much back; raises Refused above what is left."""

        def work() -> RefundState:
            payment = self._thing("payment", payment_id)
            known = self._with_key("refund", key)
            if known is not None:
                return self._refund(known)
            if payment.data.get("disputed"):
                raise Refused("The payer's bank disputes this payment.", "charge_disputed")
            left = payment.data["captured_minor"] - payment.data["refunded_minor"] - payment.data.get("lost_minor", 0)
            if not 0 < amount_minor <= left or currency != payment.data["currency"]:
                raise Refused(f"At most {left} {payment.data['currency']} can go back.", "charge_already_refunded")
            return self._sent_back(payment, amount_minor, key)

        return self._do("refund", work)

    def refund_invoice(self, invoice_id: str, *, amount_minor: int, currency: str, key: str) -> RefundState:
        """Send this much of an invoice back; raises Refused above what is left."""

        def work() -> RefundState:
            invoice = self._thing("invoice", invoice_id)
            known = self._with_key("refund", key)
            if known is not None:
                return self._refund(known)
            left = invoice.data["amount_minor"] - invoice.data.get("refunded_minor", 0)
            if not 0 < amount_minor <= left or currency != invoice.data["currency"]:
                raise Refused(f"At most {left} {invoice.data['currency']} can go back.", "charge_already_refunded")
            return self._sent_back(invoice, amount_minor, key)

        return self._do("refund_invoice", work)

    def _sent_back(self, paid: Any, amount_minor: int, key: str) -> RefundState:
        """Of a payment or an invoice."""
        fails = paid.data.get("method") == REFUND_FAILS
        status = Done.FAILED if fails else Done.DONE
        data = {"status": status.value, "amount_minor": amount_minor, "currency": paid.data["currency"]}
        thing, _ = self._made("refund", "re", key, {**data, "payment": paid.name})
        self._tell("refund.failed" if fails else "refund.updated", ResourceType.REFUND, thing.name)
        if not fails:
            back = paid.data.get("refunded_minor", 0) + amount_minor
            self._change(paid, "charge.refunded", ResourceType.PAYMENT, refunded_minor=back)
            self._write(ResourceType.REFUND, thing, amount_minor)
        return self._refund(thing)

    def return_refund(self, refund_id: str) -> None:
        """For trying it out: the payer's bank returns the refund days later."""

        def work() -> None:
            thing = self._thing("refund", refund_id)
            self._change(thing, "refund.failed", ResourceType.REFUND, status=Done.FAILED.value)
            self._write(ResourceType.REFUND, thing, -thing.data["amount_minor"])

        self._do("return_refund", work)

    def fetch_refund(self, refund_id: str) -> RefundState:
        """The refund's state; raises Unknown."""
        return self._do("fetch_refund", lambda: self._refund(self._thing("refund", refund_id)))

    def refunds_of(self, payment_id: str) -> list[RefundState]:
        """All refunds of the payment."""
        made = select(THINGS).where(THINGS.c.kind == "refund").order_by(THINGS.c.id)

        def work() -> list[RefundState]:
            return [self._refund(one) for one in fetch(made) if one.data["payment"] == payment_id]

        return self._do("refunds_of", work)

    def register_payee(self, *, payee_id: str | None, user_id: int, email: str, country: str, key: str) -> PayeeState:
        """A payee who is ready at once."""
        data = {"country": country, "ready": True}

        def work() -> PayeeState:
            thing = self._thing("payee", payee_id) if payee_id else self._made("payee", "acct", key, data)[0]
            return PayeeState(id=thing.name, ready=thing.data["ready"], url=f"{self.site_url}/payouts")

        return self._do("register_payee", work)

    def fetch_payee(self, payee_id: str) -> PayeeState:
        """The payee's state; raises Unknown."""

        def work() -> PayeeState:
            thing = self._thing("payee", payee_id)
            return PayeeState(id=thing.name, ready=thing.data["ready"])

        return self._do("fetch_payee", work)

    def pay_out(self, *, payee_id: str, amount_minor: int, currency: str, key: str, reference: str) -> PayoutState:
        """A payout that arrives at once, except at a closed bank (country ZZ)."""

        def work() -> PayoutState:
            payee = self._thing("payee", payee_id)
            if self.settles_after and not self._with_key("payout", key) and amount_minor > self._settled(currency):
                raise NotSettled("The money for this payout is not settled yet.")
            fails = payee.data["country"] == CLOSED_BANK
            status = (Done.FAILED if fails else Done.DONE).value
            data = {"status": status, "amount_minor": amount_minor, "currency": currency}
            failure = "The bank account is closed." if fails else ""
            thing, is_new = self._made("payout", "po", key, {**data, "failure": failure})
            if is_new:
                self._tell("payout.failed" if fails else "payout.paid", ResourceType.PAYOUT, thing.name)
                if not fails:
                    self._write(ResourceType.PAYOUT, thing, amount_minor)
            return self._payout(thing)

        return self._do("pay_out", work)

    def fetch_payout(self, payout_id: str) -> PayoutState:
        """The payout's state; raises Unknown."""
        return self._do("fetch_payout", lambda: self._payout(self._thing("payout", payout_id)))

    def find_payout(self, key: str) -> PayoutState | None:
        """The payout made with this key; None without one."""
        return self._do("find_payout", lambda: self._found(self._with_key("payout", key), self._payout))

    def return_payout(self, payout_id: str) -> None:
        """For trying it out: the bank returns the payout days later."""

        def work() -> None:
            thing = self._thing("payout", payout_id)
            failure = "The bank account is closed."
            self._change(thing, "payout.failed", ResourceType.PAYOUT, status=Done.FAILED.value, failure=failure)
            self._write(ResourceType.PAYOUT, thing, -thing.data["amount_minor"])

        self._do("return_payout", work)

    def book(self, since: datetime, until: datetime) -> Iterator[SettlementLine]:
        """The settlement report: captures, refunds and payouts."""
        rows = fetch(select(LINES).where(LINES.c.made_at >= since, LINES.c.made_at < until).order_by(LINES.c.id))
        for row in rows:
            amount = {"amount_minor": row.amount_minor, "currency": row.currency}
            yield SettlementLine(
                about=ResourceType(row.about), object_id=row.name, key=row.key, made_at=row.made_at, **amount
            )

    def _settled(self, currency: str) -> int:
        """What could be paid out of the book in this currency now, minor units."""
        rows = fetch(select(LINES).where(LINES.c.currency == currency))
        is_in = {ResourceType.PAYMENT.value, ResourceType.SUBSCRIPTION.value}
        lasting = now() - self.settles_after
        there = sum(row.amount_minor for row in rows if row.about in is_in and row.made_at <= lasting)
        return int(there - sum(row.amount_minor for row in rows if row.about not in is_in))

    @staticmethod
    def _found(thing: ThingRow | None, view: Callable[[ThingRow], V]) -> V | None:
        return None if thing is None else view(thing)

    def _payment(self, thing: ThingRow) -> PaymentState:
        data = thing.data
        challenged = data["status"] == ProviderStatus.REQUIRES_ACTION.value
        return PaymentState(
            id=thing.name,
            status=ProviderStatus(data["status"]),
            amount_minor=data["amount_minor"],
            currency=data["currency"],
            captured_minor=data["captured_minor"],
            refunded_minor=data["refunded_minor"],
            client_secret=f"{thing.name}_secret_{self._signature(0, thing.name.encode())[:24]}",
            next_url=f"{self.site_url}/challenge/{thing.name}" if challenged else "",
            failure=data["failure"],
            key=thing.key,
            available_from=datetime.fromisoformat(data["settled_at"]) if "settled_at" in data else None,
        )

    @staticmethod
    def _refund(thing: ThingRow) -> RefundState:
        failed = thing.data["status"] == Done.FAILED.value
        return RefundState(
            id=thing.name,
            status=Done(thing.data["status"]),
            amount_minor=thing.data["amount_minor"],
            currency=thing.data["currency"],
            payment_id=thing.data["payment"],
            failure="The card account is closed." if failed else "",
            key=thing.key,
        )

    @staticmethod
    def _payout(thing: ThingRow) -> PayoutState:
        return PayoutState(
            id=thing.name,
            status=Done(thing.data["status"]),
            amount_minor=thing.data["amount_minor"],
            currency=thing.data["currency"],
            failure=thing.data["failure"],
            key=thing.key,
        )
