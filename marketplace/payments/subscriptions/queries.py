"""Plans, subscriptions and their receipts, to be read."""

import re
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Table, bindparam, or_, select, union_all

from marketplace.auth.models import User
from marketplace.core.database.db import db, fetch, fetch_as, first_as
from marketplace.core.lists.list_query import ListQuery
from marketplace.core.lists.pagination import Page
from marketplace.core.queues.work_queue import table_of
from marketplace.kit.clock import now
from marketplace.kit.errors import NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.kit.money import to_major
from marketplace.payments.models import ReceiptRow, ToAskAbout
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.receipts.service import StoredReceipt, number_of
from marketplace.payments.subscriptions import plans
from marketplace.payments.subscriptions.lifecycle import UNPAID, SubscriptionStatus
from marketplace.payments.subscriptions.models import Invoice, Subscription
from marketplace.payments.subscriptions.refunds import queries as refunds_queries
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund

SUBSCRIPTIONS: Table = table_of(Subscription)
INVOICES: Table = table_of(Invoice)
RECEIPTS: Table = table_of(ReceiptRow)
REFUNDS: Table = table_of(InvoiceRefund)
REGRETTED_FOR = timedelta(days=30)
PLACE = re.compile(r"[0-9]{6,12}")
RECEIPTS_LIST = ListQuery(
    name="receipts",
    table=INVOICES,
    columns=[*INVOICES.c, RECEIPTS.c.series, RECEIPTS.c.number],
    joined=INVOICES.join(RECEIPTS, RECEIPTS.c.id == INVOICES.c.receipt_id),
    filters={"person": INVOICES.c.user_id == bindparam("person")},
    sorts={"created_at": INVOICES.c.created_at},
    default_sort="-created_at",
)
_promised = or_(~SUBSCRIPTIONS.c.cancel_at_period_end, SUBSCRIPTIONS.c.period_end > bindparam("moment"))
_enjoyed = or_(
    (SUBSCRIPTIONS.c.status == SubscriptionStatus.ACTIVE) & _promised,
    (SUBSCRIPTIONS.c.status == SubscriptionStatus.PAST_DUE) & (SUBSCRIPTIONS.c.grace_until > bindparam("moment")),
)
_unlocked = select(SUBSCRIPTIONS.c.id).where(
    SUBSCRIPTIONS.c.active_reference == bindparam("person"),
    SUBSCRIPTIONS.c.plan_key.in_(bindparam("plans", expanding=True)),
    _enjoyed,
)


def unlocks(user_id: int, benefit: str) -> bool:
    """Whether the person's subscription has this benefit now; one statement."""
    keys = [plan.key for plan in plans.unlocking(benefit)]
    return bool(fetch(_unlocked, {"person": user_id, "plans": keys, "moment": now()}))


class SubscriptionRow(Protocol):
    """A row of subscriptions."""

    status: str
    version: int
    id: int
    key: str
    user_id: int
    active_reference: int | None
    plan_key: str
    wanted_plan: str
    intended_outcome: str
    provider: str
    provider_id: str | None
    customer_id: str | None
    currency: str
    amount_minor: int
    paid_minor: int
    period_start: datetime | None
    period_end: datetime | None
    cancel_at_period_end: bool
    grace_until: datetime | None
    client_secret: str
    next_url: str
    failure: str
    asked_at: datetime
    ended_at: datetime | None


def living(user_id: int) -> Subscription | None:
    """A person's one subscription that has not ended, locked until the commit."""
    mine = select(Subscription).where(Subscription.active_reference == user_id)
    return db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def living_row(user_id: int) -> SubscriptionRow | None:
    """As `living`, without a lock."""
    return first_as(SubscriptionRow, select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.active_reference == user_id))


def customer_of(user_id: int, provider: str) -> str | None:
    """The person's customer id at the provider, from an earlier subscription."""
    theirs = select(SUBSCRIPTIONS.c.customer_id).where(SUBSCRIPTIONS.c.user_id == user_id)
    known = theirs.where(SUBSCRIPTIONS.c.provider == provider, SUBSCRIPTIONS.c.customer_id.is_not(None))
    rows = fetch(known.order_by(SUBSCRIPTIONS.c.id.desc()).limit(1))
    return rows[0].customer_id if rows else None


def offered(viewer: User | None, language: str | None) -> JsonObject:
    """The plans one can begin, in the reader's language and currency."""
    spoken = language or (viewer.language if viewer else "en")
    currency = viewer.currency if viewer else ""
    found = [plan_view(plan, spoken, currency) for plan in plans.offered()]
    return {"plans": found, "total": len(found)}


def plan_view(plan: plans.Plan, language: str, currency: str) -> JsonObject:
    """A plan as JSON, in this currency if it has a price in it."""
    chosen = plan.currency_for(currency)
    return {
        "key": plan.key,
        "name": plan.name_in(language),
        **_price(plan.amount[chosen], chosen),
        "prices": [_price(minor, one) for one, minor in plan.amount.items()],
        "interval": plan.interval,
        "unlocks": list(plan.unlocks),
        "grace_days": plan.grace_days,
    }


def of(user: User) -> JsonObject | None:
    """A person's subscription as JSON; None where there is none that has not ended."""
    row = living_row(user.id)
    return None if row is None else view(user, row)


def by_id(user: User, subscription_id: int) -> JsonObject:
    """One of one's own subscriptions, ended ones too; raises NotFound."""
    mine = select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == subscription_id, SUBSCRIPTIONS.c.user_id == user.id)
    return view(user, fetch(mine)[0])


def view(user: User, row: Any) -> JsonObject:
    """A subscription as its owner sees it; secrets for paying are shown while it is unpaid."""
    plan = plans.all_plans().get(row.plan_key)
    is_waiting = row.status in UNPAID
    return {
        "id": row.id,
        "plan": row.plan_key,
        "plan_name": plans.title_of(row.plan_key, user.language),
        "next_plan": row.wanted_plan or None,
        "status": row.status,
        "provider": row.provider,
        **_price(row.amount_minor, row.currency),
        "interval": plan.interval if plan else None,
        "unlocks": list(plan.unlocks) if plan and is_enjoyed(row, now()) else [],
        "period_start": row.period_start,
        "period_end": row.period_end,
        "cancel_at_period_end": row.cancel_at_period_end or row.intended_outcome != "",
        "grace_until": row.grace_until,
        "client_secret": (row.client_secret or None) if is_waiting else None,
        "next_url": row.next_url or None,
        "failure": row.failure or None,
        "created_at": row.created_at,
        "ended_at": row.ended_at,
    }


def is_enjoyed(row: Any, at: datetime) -> bool:
    """Whether its benefits are in force: the condition of `unlocks` in Python."""
    if row.status == SubscriptionStatus.ACTIVE:
        return not row.cancel_at_period_end or (row.period_end is not None and row.period_end > at)
    return row.status == SubscriptionStatus.PAST_DUE and row.grace_until is not None and row.grace_until > at


def is_being_asked(subscription_id: int) -> bool:
    """Whether a request about it is still open."""
    return bool(provider_requests_queue.waiting("subscription", subscription_id))


def receipts_of(user: User, **query: Any) -> Page:
    """Receipts of one's subscription invoices, newest first."""
    return refunds_queries.with_refunds(RECEIPTS_LIST.page({**query, "person": user.id}, _receipt_view))


def receipt_of(user: User, number: str) -> StoredReceipt:
    """One of one's own receipts or credit notes by number; raises NotFound."""
    series, _, place = number.partition("-")
    paid = select(INVOICES.c.receipt_id).where(INVOICES.c.user_id == user.id)
    back = select(REFUNDS.c.receipt_id).where(REFUNDS.c.payer_id == user.id)
    mine = select(RECEIPTS).where(RECEIPTS.c.id.in_(union_all(paid, back)), RECEIPTS.c.series == series)
    rows = fetch_as(StoredReceipt, mine.where(RECEIPTS.c.number == int(place))) if PLACE.fullmatch(place) else []
    if not rows or number_of(rows[0]) != number:
        raise NotFound.of("receipt")
    return rows[0]


def unasked(before: datetime, a_day_ago: datetime, most: int) -> list[ToAskAbout]:
    """Those to ask about again: unpaid or past due since then, or over their period, or not asked about for a day.
    Those given up unpaid too, for a month: their payer may still agree at the provider."""
    rows = SUBSCRIPTIONS.c
    unsettled = rows.status.in_((*UNPAID, SubscriptionStatus.PAST_DUE))
    over = (rows.status == SubscriptionStatus.ACTIVE) & (rows.period_end <= now())
    stale = (rows.asked_at < before) & (unsettled | over) | (rows.asked_at < a_day_ago)
    regretted = (rows.paid_minor == 0) & (rows.ended_at > now() - REGRETTED_FOR) & (rows.asked_at < a_day_ago)
    wanted = rows.active_reference.is_not(None) & stale | (rows.status == SubscriptionStatus.ENDED) & regretted
    open_ = select(rows.id, rows.provider, rows.provider_id).where(wanted)
    return fetch_as(ToAskAbout, open_.where(rows.provider_id.is_not(None)).order_by(rows.asked_at).limit(most))


def overdue(begun_before: datetime, most: int) -> list[int]:
    """Ids of subscriptions past their grace period, and of those unpaid since `begun_before`."""
    rows = SUBSCRIPTIONS.c
    out_of_grace = (rows.status == SubscriptionStatus.PAST_DUE) & (rows.grace_until <= now())
    forgotten = (rows.status == SubscriptionStatus.INCOMPLETE) & (rows.created_at < begun_before)
    late = select(rows.id).where(out_of_grace | forgotten, rows.intended_outcome != "end_now")
    return [row.id for row in fetch(late.order_by(rows.id).limit(most))]


def _price(minor: int, currency: str) -> JsonObject:
    return {"amount": to_major(minor, currency), "price_minor": minor, "currency": currency}


def _receipt_view(row: Any) -> JsonObject:
    return {
        "id": row.id,
        "number": number_of(row),
        "plan": row.plan_key,
        **_price(row.amount_minor, row.currency),
        "provider": row.provider,
        "refunded": to_major(row.refunded_minor, row.currency),
        "refunded_minor": row.refunded_minor,
        "paid_at": row.paid_at,
        "created_at": row.created_at,
    }


def as_payment(user: User, mine: dict[str, Any]) -> JsonObject:
    """A subscription in the shape of a payment: the whole amount is the marketplace's, without a fee."""
    names = ("tax", "discount", "subsidy", "fee", "payee", "held", "refunded")
    nothing = {"payee_amount" if name == "payee" else name: 0.0 for name in names}
    nothing_minor = {f"{name}_minor": 0 for name in names}
    told = ("id", "provider", "amount", "price_minor", "currency", "client_secret", "next_url", "failure", "created_at")
    return {
        **{name: mine[name] for name in told},
        **nothing,
        **nothing_minor,
        "reference": f"subscription:{mine['id']}",
        "task_id": None,
        "title": mine["plan_name"],
        "status": _paid_as(mine),
        "payer_id": user.id,
        "payee_id": None,
        "updated_at": mine["created_at"],
        "captured_at": mine["period_start"],
        "ended_at": mine["ended_at"],
        "is_disputed_by_bank": False,
        "available_from": mine["period_start"],
        "shares": [],
        "available_actions": [],
        "refunds": [],
        "receipts": [],
        "subscription": mine,
    }


def _paid_as(mine: dict[str, Any]) -> str:
    """The payment status that corresponds to the subscription's."""
    if mine["status"] == "incomplete":
        return "requires_action" if mine["next_url"] else "requires_payment_method"
    return {"created": "created", "ended": "failed"}.get(mine["status"], "released")
