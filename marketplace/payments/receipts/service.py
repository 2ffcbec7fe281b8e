"""Issuing receipts and credit notes: numbered without gaps, never changed afterwards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import insert, select, update

from marketplace.auth.models import User
from marketplace.auth.queries import display_name
from marketplace.core.database.db import execute, fetch, save
from marketplace.core.ops import current_settings
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.payments.models import Payment, PaymentShare, ReceiptRow, ReceiptSeries, Refund


def receipts(payment: Payment, shares: Sequence[PaymentShare]) -> None:
    """Issue the receipt of a captured payment; where it has several shares the payer's lists them, and each has one of
    its own for its two sides."""
    people = _names({payment.payer_id, *(one.payee_id for one in shares)})
    whole = f"payment:{payment.id}"
    if len(shares) == 1:
        _issue("", whole, _of_share(payment, shares[0], people), payment_id=payment.id, share_id=shares[0].id)
        return
    lines = [
        {"title": one.title, "reference": one.reference, "payee": people[one.payee_id]}
        | {"amount_minor": one.captured_minor}
        for one in shares
    ]
    said = {"payee_id": None, "payee": current_settings.text("SITE_NAME"), "lines": lines}
    amounts = {"amount_minor": payment.captured_minor, "tax_minor": 0, "fee_minor": 0}
    about = {"title": payment.title, "reference": payment.reference, **_about(payment, people)}
    _issue("", whole, {**about, **said, **amounts}, payment_id=payment.id)
    for one in shares:
        _issue("", f"share:{one.id}", _of_share(payment, one, people), payment_id=payment.id, share_id=one.id)


def credit_note(payment: Payment, part: PaymentShare, back: Refund) -> ReceiptRow:
    """Issue the credit note of a refund; of fee and tax it corrects what was refunded, or never taken."""
    first = select(*_number).where(ReceiptRow.share_id == part.id, ReceiptRow.refund_id.is_(None))
    corrects = number_of(fetch(first)[0])
    amounts = {"amount_minor": back.amount_minor, "fee_minor": back.fee_minor, "tax_minor": back.tax_minor}
    about = {**_of_share(payment, part, _names({payment.payer_id, part.payee_id})), **amounts, "corrects": corrects}
    return _issue("C", f"refund:{back.id}", about, payment_id=payment.id, share_id=part.id, refund_id=back.id)


def plan_receipt(subject: str, payer_id: int, **said: Any) -> ReceiptRow:
    """Issue the receipt of a subscription invoice; `said` are title, reference, currency, provider, amount."""
    payer = fetch(_people.where(User.id == payer_id))[0]
    sides = {"payer_id": payer_id, "payee_id": None, "payee": current_settings.text("SITE_NAME")}
    name = display_name(payer.username, payer.first_name, payer.last_name)
    return _issue("", subject, {**said, **sides, "payer": name, "tax_minor": 0, "fee_minor": 0})


def plan_credit_note(subject: str, receipt_id: int, *, title: str, amount_minor: int) -> ReceiptRow:
    """Issue the credit note of a refund of a subscription invoice, whose receipt it corrects."""
    first = fetch(select(*_number, ReceiptRow.data).where(ReceiptRow.id == receipt_id))[0]
    said = {"title": title, "amount_minor": amount_minor, "corrects": number_of(first)}
    return _issue("C", subject, {**first.data, **said})


class StoredReceipt(Protocol):
    """A row of receipts."""

    id: int
    series: str
    number: int
    subject: str
    payment_id: int | None
    share_id: int | None
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


def _of_share(payment: Payment, part: PaymentShare, people: dict[int, str]) -> JsonObject:
    return {
        "title": part.title,
        "reference": part.reference,
        **_about(payment, people),
        "payee_id": part.payee_id,
        "payee": people[part.payee_id],
        "amount_minor": part.captured_minor,
        "tax_minor": part.tax_minor,
        "fee_minor": part.fee_minor,
    }


def _about(payment: Payment, people: dict[int, str]) -> JsonObject:
    at = {"currency": payment.currency, "provider": payment.provider}
    return {**at, "payer_id": payment.payer_id, "payer": people[payment.payer_id]}


def _names(ids: set[int]) -> dict[int, str]:
    rows = fetch(_people.where(User.id.in_(ids)))
    return {row.id: display_name(row.username, row.first_name, row.last_name) for row in rows}


_number = (ReceiptRow.series, ReceiptRow.number)
_people = select(User.id, User.username, User.first_name, User.last_name)
