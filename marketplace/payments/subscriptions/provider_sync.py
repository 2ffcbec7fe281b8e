"""What a provider says of a subscription is taken over here, whether an answer, a webhook or the reconciliation asked
for it. What is older than what is known changes nothing; a paid invoice is booked once, whatever came before.

Apart from the rooms: its verbs are the provider's, those of people stand in service.py.
"""

from typing import Any

from sqlalchemy import bindparam, select

from marketplace.core.database.db import db, fetch, locked_row, save
from marketplace.core.queues.outbox import publish
from marketplace.core.queues.work_queue import table_of
from marketplace.events.subscriptions import (
    PlanChanged,
    SubscriptionEnded,
    SubscriptionPastDue,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from marketplace.kit.clock import now
from marketplace.payments.ledger import chart_of_accounts
from marketplace.payments.ledger.service import Posting, post
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.provider import InvoiceState, Paid, SubscriptionState
from marketplace.payments.receipts import service as receipts_service
from marketplace.payments.subscriptions import plans
from marketplace.payments.subscriptions.lifecycle import SYSTEM, UNPAID, SubscriptionStatus
from marketplace.payments.subscriptions.models import Invoice, Subscription

TARGETS = {
    Paid.INCOMPLETE: SubscriptionStatus.INCOMPLETE,
    Paid.ACTIVE: SubscriptionStatus.ACTIVE,
    Paid.PAST_DUE: SubscriptionStatus.PAST_DUE,
    Paid.ENDED: SubscriptionStatus.ENDED,
}
END_LATER, END_NOW = "end_later", "end_now"
INVOICES = table_of(Invoice)


def apply_subscription_state(subscription_id: int, state: SubscriptionState) -> None:
    """Store the state of a subscription. One that ended here stays ended: if the provider has it alive, it is told to
    end it."""
    mine = locked_row(Subscription, subscription_id)
    mine.provider_id = mine.provider_id or state.id
    mine.customer_id = mine.customer_id or state.customer_id or None
    mine.asked_at = now()
    db.session.flush()
    fresh = _book(mine, state)
    if mine.status == SubscriptionStatus.ENDED:
        if state.status is not Paid.ENDED:
            ask_to_end(mine)
    elif sum(one.amount_minor for one in state.invoices) >= mine.paid_minor:
        _take_over(mine, state)
        _move(mine, state.status, fresh)
    db.session.flush()


def fail(subscription_id: int, failure: str) -> None:
    """End a subscription that never began."""
    mine = locked_row(Subscription, subscription_id)
    mine.failure = failure[:500]
    if mine.status != SubscriptionStatus.ENDED:
        end(mine)


def end(mine: Subscription) -> None:
    """End the subscription here, whatever the provider still has to be told."""
    mine.advance("end", actor=SYSTEM)
    mine.active_reference, mine.ended_at, mine.wanted_plan = None, now(), ""
    mine.client_secret = mine.next_url = ""
    db.session.flush()
    if mine.paid_minor:
        publish(SubscriptionEnded(subscription_id=mine.id, user_id=mine.user_id, plan_key=mine.plan_key))


def note_failure(subscription_id: int, failure: str, *, wanted_plan: str | None = None) -> None:
    """Store why the last try to pay (or to change to `wanted_plan`) failed; another try may work."""
    mine = locked_row(Subscription, subscription_id)
    if mine.status != SubscriptionStatus.ENDED:
        mine.failure = failure[:500]
    if wanted_plan is not None and mine.wanted_plan == wanted_plan:
        mine.wanted_plan = ""
    db.session.flush()


def ask_to_end(mine: Subscription) -> None:
    """Request its end from the provider, also again where it came back to life there."""
    mine.intended_outcome = END_NOW
    provider_requests_queue.ask_anew("end_subscription", "subscription", mine.id, key=f"end-now-{mine.key}")


def _take_over(mine: Subscription, state: SubscriptionState) -> None:
    mine.period_start = state.period_start or mine.period_start
    mine.period_end = state.period_end or mine.period_end
    mine.cancel_at_period_end = state.cancel_at_period_end or mine.intended_outcome != ""
    mine.client_secret = state.client_secret
    plan = plans.all_plans().get(state.plan_key)
    if state.plan_key != mine.plan_key and plan is not None and mine.currency in plan.amount:
        mine.plan_key, mine.amount_minor = plan.key, plan.amount[mine.currency]
        publish(PlanChanged(subscription_id=mine.id, user_id=mine.user_id, plan_key=plan.key))
    if mine.wanted_plan == mine.plan_key:
        mine.wanted_plan = ""
    mine.next_url = state.next_url or (mine.next_url if mine.wanted_plan else "")


def _move(mine: Subscription, said: Paid, fresh: list[int]) -> None:
    """Advance to the state the provider says; a challenge (INCOMPLETE) counts only for one that has not begun."""
    before, after = mine.status, TARGETS[said]
    about: dict[str, Any] = {"subscription_id": mine.id, "user_id": mine.user_id, "plan_key": mine.plan_key}
    if after == SubscriptionStatus.ENDED:
        end(mine)
    elif after == SubscriptionStatus.INCOMPLETE and before == SubscriptionStatus.CREATED:
        mine.advance("wait", actor=SYSTEM)
    elif after == SubscriptionStatus.PAST_DUE and before != SubscriptionStatus.PAST_DUE:
        mine.grace_until = now() + plans.grace_of(mine.plan_key)
        mine.advance("fall_behind", actor=SYSTEM)
        publish(SubscriptionPastDue(**about, version=int(now().timestamp())))
    elif after == SubscriptionStatus.ACTIVE:
        mine.grace_until, mine.failure = None, mine.failure if before == SubscriptionStatus.ACTIVE else ""
        if before != SubscriptionStatus.ACTIVE:
            mine.advance("recover" if before == SubscriptionStatus.PAST_DUE else "activate", actor=SYSTEM)
        if before in UNPAID:
            publish(SubscriptionStarted(**about))
        elif fresh:
            publish(SubscriptionRenewed(**about, invoice_id=fresh[-1]))


def _book(mine: Subscription, state: SubscriptionState) -> list[int]:
    """Book invoices that are new; returns our ids of them."""
    known = {row.provider_id for row in fetch(_known, {"subscription": mine.id})}
    plan_key = state.plan_key or mine.plan_key
    return [_enter(mine, one, plan_key) for one in state.invoices if one.id not in known]


def _enter(mine: Subscription, one: InvoiceState, plan_key: str) -> int:
    """Book one invoice in the ledger and issue its receipt."""
    row = Invoice(
        subscription_id=mine.id,
        user_id=mine.user_id,
        provider=mine.provider,
        provider_id=one.id,
        plan_key=plan_key,
        amount_minor=one.amount_minor,
        currency=one.currency,
        paid_at=one.paid_at,
    )
    subject = f"invoice:{row.provider}:{row.provider_id}"
    about: dict[str, Any] = {"reference": f"subscription:{mine.id}", "amount_minor": row.amount_minor}
    source, to = chart_of_accounts.at_provider(row), chart_of_accounts.plans(row)
    post([Posting(key=subject, subject=subject, debit=source, credit=to, kind="plan", **about)])
    paid = {"title": plans.title_of(plan_key), "currency": row.currency, "provider": row.provider}
    row.receipt_id = receipts_service.plan_receipt(subject, mine.user_id, **about, **paid).id
    mine.paid_minor += row.amount_minor
    return save(row).id


_known = select(INVOICES.c.provider_id).where(INVOICES.c.subscription_id == bindparam("subscription"))
