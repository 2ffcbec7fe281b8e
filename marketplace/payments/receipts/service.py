"""Issuing receipts and credit notes: numbered without gaps, never changed afterwards."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, insert, select, update

from marketplace.auth.models import User
from marketplace.auth.queries import display_name
from marketplace.core.database.db import execute, fetch, save
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import share
from marketplace.payments.ledger.service import TRANSFERS
from marketplace.payments.models import Payment, ReceiptRow, ReceiptSeries, Refund


def receipt(payment: Payment) -> ReceiptRow:
    """Issue the receipt of a captured payment."""
    said = {"amount_minor": payment.captured_minor, "tax_minor": payment.tax_minor, "fee_minor": payment.fee_minor}
    return _issue("", f"payment:{payment.id}", {**_about(payment), **said}, payment_id=payment.id)


def credit_note(payment: Payment, back: Refund) -> ReceiptRow:
    """Issue the credit note of a refund."""
    first = fetch(select(*_number).where(ReceiptRow.subject == f"payment:{payment.id}"))[0]
    said = {"amount_minor": back.amount_minor, **_kept(payment, back), "corrects": number_of(first)}
    about = {**_about(payment), **said}
    return _issue("C", f"refund:{back.id}", about, payment_id=payment.id, refund_id=back.id)


def _kept(payment: Payment, back: Refund) -> dict[str, int]:
    """The part of fee and tax that the credit note corrects: refunded, or never taken."""
    moved = {row.kind: row.amount_minor for row in fetch(_moved, {"subject": f"refund:{back.id}"})}
    if "clawback" in moved or "fee_back" in moved:
        return {"fee_minor": moved.get("fee_back", 0), "tax_minor": moved.get("tax_back", 0)}
    _, fee, tax = share(back.amount_minor, (payment.payee_minor, payment.fee_minor, payment.tax_minor))
    return {"fee_minor": fee, "tax_minor": tax}


def plan_receipt(subject: str, payer_id: int, **said: Any) -> ReceiptRow:
    """Issue the receipt of a subscription invoice; `said` are title, reference, currency, provider, amount."""
    payer = fetch(_people.where(User.id == payer_id))[0]
    sides = {"payer_id": payer_id, "payee_id": None, "payee": current_settings.text("SITE_NAME")}
    name = display_name(payer.username, payer.first_name, payer.last_name)
    return _issue("", subject, {**said, **sides, "payer": name, "tax_minor": 0, "fee_minor": 0})


class StoredReceipt(Protocol):
    """A row of receipts."""

    id: int
    series: str
    number: int
    subject: str
    payment_id: int | None
    refund_id: int | None
    issued_at: datetime
    data: dict[str, Any]


def number_of(row: Any) -> str:
    """The printed number: 2026-000123."""
    return f"{row.series}-{row.number:06d}"


def _issue(kind: str, subject: str, data: dict[str, Any], **of: int) -> ReceiptRow:
    moment = now()
    series = f"{kind}{moment.year}"
    row = ReceiptRow(series=series, number=_next(series), subject=subject, issued_at=moment, data=data, **of)
    return save(row)


def _next(series: str) -> int:
    """The next number; the series is locked until the commit, so that a number not issued is not counted."""
    step = update(ReceiptSeries).where(ReceiptSeries.name == series).values(last=ReceiptSeries.last + 1)
    counted = fetch(step.returning(ReceiptSeries.last))
    if counted:
        return int(counted[0].last)
    execute(insert(ReceiptSeries), {"name": series, "last": 1})
    return 1


def _about(payment: Payment) -> JsonObject:
    names = {one.id: one for one in fetch(_people.where(User.id.in_((payment.payer_id, payment.payee_id))))}
    payer, payee = names[payment.payer_id], names[payment.payee_id]
    return {
        "title": payment.title,
        "reference": payment.reference,
        "currency": payment.currency,
        "provider": payment.provider,
        "payer_id": payer.id,
        "payee_id": payee.id,
        "payer": display_name(payer.username, payer.first_name, payer.last_name),
        "payee": display_name(payee.username, payee.first_name, payee.last_name),
    }


_moved = select(TRANSFERS.c.kind, TRANSFERS.c.amount_minor).where(TRANSFERS.c.subject == bindparam("subject"))
_number = (ReceiptRow.series, ReceiptRow.number)
_people = select(User.id, User.username, User.first_name, User.last_name)
