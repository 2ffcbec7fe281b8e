"""Give back what was paid for a plan, and what the provider says of it. Each in the caller's transaction, the invoice
locked first."""

from decimal import Decimal
from typing import TypedDict

from marketplace.auth.models import User
from marketplace.core.database.db import db, locked_row, save
from marketplace.core.database.prices import minor_units
from marketplace.core.ops import audit_log
from marketplace.core.queues.outbox import publish
from marketplace.events.subscriptions import PlanRefundBegun, PlanRefundFailed
from marketplace.kit.errors import Invalid, NotAllowed
from marketplace.kit.money import Money
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Account, Posting, post
from marketplace.payments.lifecycle import SYSTEM, RefundStatus
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.provider import Done, RefundState
from marketplace.payments.providers.registry import demand_unit
from marketplace.payments.receipts import service as receipts_service
from marketplace.payments.subscriptions import plans
from marketplace.payments.subscriptions import service as subscriptions_service
from marketplace.payments.subscriptions.models import Invoice
from marketplace.payments.subscriptions.refunds import queries
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund


def refund(
    user: User, invoice_id: int, *, amount: Decimal | None = None, reason: str = "", end_plan: bool = False
) -> InvoiceRefund:
    """Give (a part of) an invoice back to its payer, as staff; all that is left, unless said. `end_plan` also ends
    their subscription now. Raises NotAllowed (403), NotFound, Invalid (422)."""
    invoice = locked_row(Invoice, queries.find(user, invoice_id).id)
    if invoice.user_id == user.id:
        raise NotAllowed("Somebody else has to decide about your own payment.")
    amount_minor = _demand_amount(invoice, minor_units("amount", amount, invoice.currency))
    back = save(
        InvoiceRefund(
            key=f"invoice-refund-{invoice.id}-{invoice.refunded_minor}",
            invoice_id=invoice.id,
            payer_id=invoice.user_id,
            provider=invoice.provider,
            amount_minor=amount_minor,
            currency=invoice.currency,
            reason=reason,
            by_id=user.id,
        )
    )
    invoice.refunded_minor += amount_minor
    db.session.flush()
    _post(invoice, back, "plan_back", chart_of_accounts.plans(invoice), chart_of_accounts.refunds_in_transit(back))
    provider_requests_queue.ask("refund_invoice", "invoice_refund", back.id, key=back.key)
    if end_plan:
        subscriptions_service.stop_of(invoice.user_id, at_once=True)
    audit_log.record("invoice.refund", "invoice", invoice.id, refund_id=back.id)
    publish(PlanRefundBegun(**_told(invoice, back)))
    return back


def apply_state(refund_id: int, state: RefundState) -> None:
    """Store what the provider says of a refund. One that it could not send, or that a bank returned, goes to the
    payer's wallet."""
    back = locked_row(InvoiceRefund, refund_id)
    back.provider_id = back.provider_id or state.id or None
    invoice = locked_row(Invoice, back.invoice_id)
    in_transit, at_provider = chart_of_accounts.refunds_in_transit(back), chart_of_accounts.at_provider(back)
    if state.status is Done.DONE and back.status == RefundStatus.PENDING:
        back.advance("finish", actor=SYSTEM)
        _post(invoice, back, "refunded", in_transit, at_provider)
        _issue_credit_note(invoice, back)
    elif state.status is Done.FAILED and back.status != RefundStatus.FAILED:
        source = at_provider if back.status == RefundStatus.DONE else in_transit
        back.failure = state.failure[:500]
        back.advance("fail", actor=SYSTEM)
        _post(invoice, back, "refund_failed", source, chart_of_accounts.available(back.payer_id, back))
        _issue_credit_note(invoice, back)
        publish(PlanRefundFailed(**_told(invoice, back)))
    back.touch()
    db.session.flush()


def _demand_amount(invoice: Invoice, wanted_minor: int | None) -> int:
    """What goes back, minor units; raises Invalid (422)."""
    left = invoice.amount_minor - invoice.refunded_minor
    amount_minor = left if wanted_minor is None else wanted_minor
    if not 0 < amount_minor <= left:
        most = Money(left, invoice.currency).exact
        raise Invalid.field("amount", f"At most {most} {invoice.currency} of this invoice can go back.")
    demand_unit(invoice.provider, "amount", amount_minor, invoice.currency)
    return amount_minor


def _post(invoice: Invoice, back: InvoiceRefund, kind: str, debit: Account, credit: Account) -> None:
    subject, reference = f"invoice_refund:{back.id}", f"subscription:{invoice.subscription_id}"
    sides = {"debit": debit, "credit": credit}
    amount_minor = back.amount_minor
    key = f"{subject}:{kind}"
    post([Posting(key=key, kind=kind, reference=reference, subject=subject, amount_minor=amount_minor, **sides)])


def _issue_credit_note(invoice: Invoice, back: InvoiceRefund) -> None:
    """One for each refund, whatever became of it later."""
    if back.receipt_id is None:
        note = receipts_service.plan_credit_note(
            f"invoice_refund:{back.id}",
            invoice.receipt_id,
            title=plans.title_of(invoice.plan_key),
            amount_minor=back.amount_minor,
        )
        back.receipt_id = note.id


class _Told(TypedDict):
    """The fields of both events."""

    refund_id: int
    subscription_id: int
    user_id: int
    plan_key: str
    amount_minor: int
    currency: str


def _told(invoice: Invoice, back: InvoiceRefund) -> _Told:
    return _Told(
        refund_id=back.id,
        subscription_id=invoice.subscription_id,
        user_id=invoice.user_id,
        plan_key=invoice.plan_key,
        amount_minor=back.amount_minor,
        currency=back.currency,
    )
