"""Handlers of provider requests about subscriptions, registered in the queue of payments.

Apart from the rooms: calls of the network between two transactions, which a service never makes.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from marketplace.auth import queries as auth_queries
from marketplace.core.database.db import AnyRow, release_connection
from marketplace.kit.clock import now
from marketplace.payments import queries as payments_queries
from marketplace.payments.lifecycle import RefundStatus
from marketplace.payments.provider_requests.handlers import as_it_is, may_send
from marketplace.payments.provider_requests.queue import Record, handles
from marketplace.payments.providers.provider import (
    Done,
    Paid,
    PlanTerms,
    Provider,
    RefundState,
    Refused,
    ResourceType,
    Subscriptions,
    SubscriptionState,
    Unknown,
    Unreachable,
)
from marketplace.payments.providers.registry import provider
from marketplace.payments.subscriptions import plans, provider_sync
from marketplace.payments.subscriptions.lifecycle import SubscriptionStatus
from marketplace.payments.subscriptions.models import Invoice, Subscription
from marketplace.payments.subscriptions.provider_sync import END_NOW
from marketplace.payments.subscriptions.refunds import service as refunds_service
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund
from marketplace.payments.webhooks.service import fetches

AN_HOUR = timedelta(hours=1)


@handles("subscribe")
def _subscribe(row: AnyRow) -> Record | None:
    mine = as_it_is(Subscription, row.subject_id)
    if mine.status != SubscriptionStatus.CREATED:
        return None
    at: Subscriptions = provider(mine.provider)
    if mine.intended_outcome == END_NOW:
        return _called_off(mine, at.find_subscription(row.key) if row.first_at else None)
    found = None if may_send(row) else at.find_subscription(row.key)
    try:
        state = found or _begun(at, mine, row)
    except Refused as error:
        return _declined(mine, at.find_subscription(row.key), str(error))
    return partial(provider_sync.apply_subscription_state, mine.id, state)


def _begun(at: Subscriptions, mine: Any, row: AnyRow) -> SubscriptionState:
    user = auth_queries.reachable(mine.user_id, closed=True)
    release_connection()
    return at.subscribe(
        terms=_terms(mine.plan_key, mine.currency, mine.amount_minor),
        customer_id=mine.customer_id,
        user_id=mine.user_id,
        email=user.email if user else "",
        method=row.method,
        key=row.key,
    )


def _called_off(mine: Any, state: SubscriptionState | None) -> Record:
    """Record the end of a subscription that ended before the provider answered."""
    return (
        partial(provider_sync.apply_subscription_state, mine.id, state)
        if state
        else partial(provider_sync.fail, mine.id, "")
    )


def _declined(mine: Any, state: SubscriptionState | None, failure: str) -> Record:
    """Record a declined payment: the subscription waits for another card, or was never made."""
    if state is None:
        return partial(provider_sync.fail, mine.id, failure)
    return partial(_note, mine.id, state, failure)


@handles("change_plan")
def _change(row: AnyRow) -> Record | None:
    mine = as_it_is(Subscription, row.subject_id)
    plan = plans.all_plans().get(mine.wanted_plan)
    if mine.status != SubscriptionStatus.ACTIVE or plan is None or mine.intended_outcome:
        return partial(provider_sync.note_failure, mine.id, mine.failure, wanted_plan=mine.wanted_plan)
    at: Subscriptions = provider(mine.provider)
    provider_id = mine.provider_id or ""
    if not may_send(row):
        state = at.fetch_subscription(provider_id)
        if state.plan_key == plan.key:
            return partial(provider_sync.apply_subscription_state, mine.id, state)
    terms = _terms(plan.key, mine.currency, plan.amount[mine.currency])
    try:
        state = at.change_plan(provider_id, terms=terms, key=row.key)
    except Refused as error:
        return partial(_note, mine.id, at.fetch_subscription(provider_id), str(error), wanted_plan=plan.key)
    return partial(provider_sync.apply_subscription_state, mine.id, state)


@handles("end_subscription")
def _end(row: AnyRow) -> Record | None:
    mine = as_it_is(Subscription, row.subject_id)
    if mine.provider_id is None:
        if mine.status == SubscriptionStatus.ENDED:
            return None
        raise Unreachable("the provider has not said yet what it calls this subscription")
    at: Subscriptions = provider(mine.provider)
    provider_id, at_once = mine.provider_id, mine.intended_outcome == END_NOW
    may_send(row)
    key = f"{row.key}-{row.attempts}"  # a refusal is remembered with its key, and ending twice does no harm
    try:
        state = at.end_subscription(provider_id, at_once=at_once, key=key)
    except Unknown:
        return partial(provider_sync.fail, mine.id, "")
    except Refused as error:
        state = at.fetch_subscription(provider_id)
        if state.status is not Paid.ENDED and (at_once or not state.cancel_at_period_end):
            raise Unreachable(f"it goes on, and would be paid again: {error}") from error
    return partial(provider_sync.apply_subscription_state, mine.id, state)


@handles("refund_invoice")
def _refund(row: AnyRow) -> Record | None:
    back = as_it_is(InvoiceRefund, row.subject_id)
    if back.status != RefundStatus.PENDING:
        return None
    invoice = as_it_is(Invoice, back.invoice_id)
    at: Provider = provider(back.provider)
    found = None if may_send(row) else _found_in_book(at, row)
    amount: dict[str, Any] = {"amount_minor": back.amount_minor, "currency": back.currency}
    try:
        state = found or at.refund_invoice(invoice.provider_id, **amount, key=row.key)
    except Refused as error:
        state = RefundState(id="", status=Done.FAILED, **amount, failure=str(error))
    return partial(refunds_service.apply_state, back.id, state)


def _found_in_book(at: Provider, row: AnyRow) -> RefundState | None:
    """The refund that was sent with this key so long ago that the provider has forgotten the key."""
    lines = at.book(row.first_at - AN_HOUR, now())
    made = (one.object_id for one in lines if one.about is ResourceType.REFUND and one.key == row.key)
    name = next(made, None)
    return at.fetch_refund(name) if name else None


def _note(subscription_id: int, state: SubscriptionState, failure: str, *, wanted_plan: str | None = None) -> None:
    provider_sync.apply_subscription_state(subscription_id, state)
    provider_sync.note_failure(subscription_id, failure, wanted_plan=wanted_plan)


def _terms(plan_key: str, currency: str, amount_minor: int) -> PlanTerms:
    plan = plans.all_plans()[plan_key]
    about: dict[str, Any] = {"amount_minor": amount_minor, "currency": currency, "interval": plan.interval}
    return PlanTerms(key=plan_key, name=plan.name_in("en"), **about)


@fetches(ResourceType.SUBSCRIPTION)
def _fetched(at: Subscriptions, name: str, object_id: str) -> Record | None:
    """Fetch what a webhook is about; None where the answer that gives us its id is not recorded yet, and will do the
    same."""
    state = at.fetch_subscription(object_id)
    ours = payments_queries.named(Subscription, name, object_id)
    return partial(provider_sync.apply_subscription_state, ours, state) if ours else None
