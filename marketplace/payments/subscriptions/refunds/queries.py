"""What was paid for plans and what of it went back, for staff who run the money."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, bindparam, false, select, true

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, one
from marketplace.core.http.permissions import May, may
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments.models import ReceiptRow
from marketplace.payments.receipts.service import number_of
from marketplace.payments.subscriptions.models import Invoice
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund

INVOICES: Table = table_of(Invoice)
RECEIPTS: Table = table_of(ReceiptRow)
REFUNDS: Table = table_of(InvoiceRefund)
BROWSE = ListQuery(
    name="invoices",
    table=INVOICES,
    columns=[*INVOICES.c, RECEIPTS.c.series, RECEIPTS.c.number],
    joined=INVOICES.join(RECEIPTS, RECEIPTS.c.id == INVOICES.c.receipt_id),
    filters={
        "id": INVOICES.c.id == bindparam("id"),
        "user_id": INVOICES.c.user_id == bindparam("user_id"),
    },
    sorts={"created_at": INVOICES.c.created_at},
    default_sort="-created_at",
)
_of_invoices = (
    select(REFUNDS, RECEIPTS.c.series, RECEIPTS.c.number)
    .select_from(REFUNDS.outerjoin(RECEIPTS, RECEIPTS.c.id == REFUNDS.c.receipt_id))
    .where(REFUNDS.c.invoice_id.in_(bindparam("invoices", expanding=True)))
    .order_by(REFUNDS.c.id)
)


def browse(**query: Any) -> Page:
    """All invoices with their refunds, newest first; two statements a page."""
    return with_refunds(BROWSE.page(query, _view))


def detail(user: User, invoice_id: int) -> JsonObject:
    """One invoice with its refunds; raises NotFound."""
    find(user, invoice_id)
    return dict(browse(id=invoice_id, per_page=1, page=1).items[0])


def find(user: User, invoice_id: int) -> Invoice:
    """For staff who run the money; raises NotFound for others."""
    seen = true() if may(user.role, May.RUN_MONEY) else false()
    return one(select(Invoice).where(seen, Invoice.id == invoice_id), "invoice")


def with_refunds(page: Page) -> Page:
    """The page of invoices, each with what went back of it."""
    found = of_invoices([item["id"] for item in page.items])
    for item in page.items:
        item["refunds"] = found.get(item["id"], [])
    return page


def of_invoices(ids: Collection[int]) -> dict[int, list[JsonObject]]:
    """The refunds of these invoices as JSON, by invoice."""
    found: dict[int, list[JsonObject]] = {}
    for row in fetch(_of_invoices, {"invoices": list(ids)}) if ids else []:
        found.setdefault(row.invoice_id, []).append(_refund_view(row))
    return found


def _view(row: Any) -> JsonObject:
    amounts = {"amount": row.amount_minor, "refunded": row.refunded_minor}
    return {
        **{name: getattr(row, name) for name in ("id", "user_id", "subscription_id", "provider", "provider_id")},
        **{name: to_major(minor, row.currency) for name, minor in amounts.items()},
        "price_minor": row.amount_minor,
        "refunded_minor": row.refunded_minor,
        "currency": row.currency,
        "number": number_of(row),
        "plan": row.plan_key,
        "paid_at": row.paid_at,
        "created_at": row.created_at,
    }


def _refund_view(row: Any) -> JsonObject:
    return {
        "id": row.id,
        "status": row.status,
        "amount": to_major(row.amount_minor, row.currency),
        "price_minor": row.amount_minor,
        "currency": row.currency,
        "reason": row.reason,
        "number": number_of(row) if row.receipt_id is not None else None,
        "created_at": row.created_at,
    }
