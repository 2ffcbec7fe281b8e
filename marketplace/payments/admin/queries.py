"""Payments, payouts, the ledger and its discrepancies, for staff who run the money."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, select

from marketplace.core.database.db import fetch
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import policy
from marketplace.payments import queries as payments_queries
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.lifecycle import PAYOUT_LIFECYCLE
from marketplace.payments.models import Discrepancy, Payment, Payout
from marketplace.payments.payouts import queries as payouts_queries

PAYMENTS, PAYOUTS, BREAKS = table_of(Payment), table_of(Payout), table_of(Discrepancy)


def _list_of(name: str, table: Table, *filters: str, **more: ColumnElement[bool]) -> ListQuery:
    return ListQuery(
        name=name,
        table=table,
        columns=list(table.c),
        filters={**{one: table.c[one] == bindparam(one) for one in filters}, **more},
        sorts={"created_at": table.c.created_at},
        default_sort="-created_at",
    )


_to_payee = PAYMENTS.c.id.in_(policy.paid_to(bindparam("payee_id")))
PAYMENTS_LIST = _list_of("payments", PAYMENTS, "status", "payer_id", "reference", payee_id=_to_payee)
PAYOUTS_LIST = _list_of("payouts", PAYOUTS, "status", "user_id")
BREAKS_LIST = ListQuery(
    name="breaks",
    table=BREAKS,
    columns=list(BREAKS.c),
    filters={"open": BREAKS.c.closed_at.is_(None), "kind": BREAKS.c.kind == bindparam("kind")},
    sorts={"found_at": BREAKS.c.found_at},
    default_sort="-found_at",
)


def browse_payments(viewer: Any, **query: Any) -> Page:
    """All payments, newest first."""
    return payments_queries.with_shares(viewer, PAYMENTS_LIST.page(query, lambda row: {"payment": row}))


def browse_payouts(viewer: Any, **query: Any) -> Page:
    """All payouts, newest first."""
    return PAYOUTS_LIST.page(query, lambda row: payout_view(viewer, row))


def payout_view(viewer: Any, payout: Any) -> JsonObject:
    """A payout with its owner, its risk score and reasons; one's own has no approve action."""
    judged = {"user_id": payout.user_id, "score": payout.score, "reasons": payout.reasons}
    roles = frozenset({"owner" if payout.user_id == viewer.id else "admin"})
    actions = PAYOUT_LIFECYCLE.actions(payout.status, roles)
    return {**payouts_queries.view(payout), **judged, "available_actions": actions}


def browse_breaks(*, open: bool = True, **query: Any) -> Page:
    """Discrepancies: open ones, or all."""
    return BREAKS_LIST.page({**query, "open": True} if open else query, break_view)


def break_view(row: Any) -> JsonObject:
    """A discrepancy with both amounts."""
    names = ("id", "kind", "subject", "currency", "ours_minor", "theirs_minor", "found_at", "seen_at", "closed_at")
    return {name: getattr(row, name) for name in names}


def ledger() -> JsonObject:
    """The balance by purpose, currency and provider, and whether payouts are frozen."""
    whose = (LedgerAccount.currency, LedgerAccount.purpose, LedgerAccount.provider)
    sums = select(*whose, func.sum(LedgerAccount.balance_minor).label("balance"), func.count().label("n"))
    rows = fetch(sums.group_by(*whose).order_by(*whose))
    return {"is_frozen": payments_queries.is_frozen(), "accounts": [_total(row) for row in rows]}


def _total(row: Any) -> JsonObject:
    balance = int(row.balance)
    amounts = {"balance": to_major(balance, row.currency), "balance_minor": balance}
    about = {"purpose": row.purpose, "currency": row.currency, "provider": row.provider}
    return {**about, "accounts": row.n, **amounts}
