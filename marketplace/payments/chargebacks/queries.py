"""Chargebacks, to be read by staff who run the money."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Table, bindparam, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, first_as, one
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import policy
from marketplace.payments.chargebacks.lifecycle import CHARGEBACK_LIFECYCLE, ChargebackStatus
from marketplace.payments.chargebacks.models import Chargeback, ChargebackRow
from marketplace.payments.models import PaymentShare
from marketplace.uploads import queries as uploads_queries

CHARGEBACKS: Table = table_of(Chargeback)
BROWSE = ListQuery(
    name="chargebacks",
    table=CHARGEBACKS,
    columns=list(CHARGEBACKS.c),
    filters={
        "status": CHARGEBACKS.c.status == bindparam("status"),
        "payment_id": CHARGEBACKS.c.payment_id == bindparam("payment_id"),
    },
    sorts={"created_at": CHARGEBACKS.c.created_at},
    default_sort="-created_at",
)


def browse(**query: Any) -> Page:
    """All of them, newest first."""
    return BROWSE.page(query, view)


def detail(user: User, chargeback_id: int) -> JsonObject:
    """One, with what it is about; raises NotFound."""
    mine = one(policy.chargebacks_visible_to(user).where(Chargeback.id == chargeback_id), "chargeback")
    parts = select(PaymentShare.reference, PaymentShare.title).where(PaymentShare.payment_id == mine.payment_id)
    rows = fetch(parts.order_by(PaymentShare.id))
    file = next((uploads_queries.view(row) for row in uploads_queries.by_stems([mine.evidence_file])), None)
    deals = [{"reference": row.reference, "title": row.title} for row in rows]
    return {**view(mine), "evidence_file": file, "deals": deals}


def view(row: ChargebackRow) -> JsonObject:
    """A chargeback as JSON."""
    minor = {"amount": row.amount_minor, "withdrawn": row.withdrawn_minor, "fee": row.fee_minor}
    names = ("id", "payment_id", "provider", "provider_id", "status", "currency", "reason", "evidence")
    times = ("evidence_due_at", "evidence_sent_at", "opened_at", "closed_at")
    return {
        **{name: getattr(row, name) for name in (*names, *times)},
        **{name: to_major(amount, row.currency) for name, amount in minor.items()},
        **{f"{name}_minor": amount for name, amount in minor.items()},
        "available_actions": CHARGEBACK_LIFECYCLE.actions(row.status, policy.ADMIN),
    }


def find(chargeback_id: int) -> ChargebackRow | None:
    """For a notification; None where it is gone."""
    return first_as(ChargebackRow, select(CHARGEBACKS).where(CHARGEBACKS.c.id == chargeback_id))


def payees_of(payment_id: int) -> dict[int, int]:
    """The ids of the shares of a payment by their payees."""
    rows = fetch(select(PaymentShare.id, PaymentShare.payee_id).where(PaymentShare.payment_id == payment_id))
    return {row.payee_id: row.id for row in rows}


def unanswered(before_end: timedelta, most: int) -> list[int]:
    """Ids of open ones whose time to answer ends within this time, and of which nobody was reminded."""
    rows = CHARGEBACKS.c
    open_ = select(rows.id).where(rows.status == ChargebackStatus.OPEN, rows.evidence_due_at < now() + before_end)
    late = open_.where(rows.evidence_sent_at.is_(None), rows.reminded_at.is_(None))
    return [row.id for row in fetch(late.order_by(rows.evidence_due_at).limit(most))]
