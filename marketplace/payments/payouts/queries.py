"""Lists of payouts."""

from typing import Any

from sqlalchemy import Table, bindparam, select

from marketplace.auth.models import User
from marketplace.core.database.db import fetch, one
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments import policy
from marketplace.payments.lifecycle import PAYOUT_LIFECYCLE
from marketplace.payments.models import Payout

PAYOUTS: Table = table_of(Payout)

BROWSE = ListQuery(
    name="payouts",
    table=PAYOUTS,
    columns=list(PAYOUTS.c),
    filters={
        "person": PAYOUTS.c.user_id == bindparam("person"),
        "status": PAYOUTS.c.status == bindparam("status"),
    },
    sorts={"created_at": PAYOUTS.c.created_at},
    default_sort="-created_at",
)


def of(user: User, **query: Any) -> Page:
    """One's payouts, newest first."""
    return BROWSE.page({**query, "person": user.id}, view)


def find(user: User, payout_id: int) -> Payout:
    """One visible payout; raises NotFound."""
    return one(policy.payouts_visible_to(user).where(Payout.id == payout_id), "payout")


def view(payout: Any) -> JsonObject:
    """A payout as its owner sees it; risk reasons are for staff."""
    return {
        "id": payout.id,
        "status": payout.status,
        "amount": to_major(payout.amount_minor, payout.currency),
        "price_minor": payout.amount_minor,
        "currency": payout.currency,
        "provider": payout.provider,
        "origin": payout.origin,
        "failure": payout.failure or None,
        "created_at": payout.created_at,
        "updated_at": payout.updated_at,
        "available_from": payout.available_from,
        "paid_at": payout.paid_at,
        "available_actions": PAYOUT_LIFECYCLE.actions(payout.status, policy.OWNER),
    }


def amount_of(payout_id: int) -> tuple[int, str]:
    """(minor units, currency)."""
    row = fetch(select(PAYOUTS.c.amount_minor, PAYOUTS.c.currency).where(PAYOUTS.c.id == payout_id))[0]
    return row.amount_minor, row.currency
