"""Subscribe, change plans, cancel."""

import secrets
from decimal import Decimal

from marketplace.auth.models import User
from marketplace.core.database.db import db, locked_row, save
from marketplace.core.database.prices import demand_price
from marketplace.kit.errors import Conflict, Invalid, NotFound
from marketplace.payments.provider_requests import queue as provider_requests_queue
from marketplace.payments.providers.registry import default_provider, provider
from marketplace.payments.subscriptions import plans, provider_sync, queries
from marketplace.payments.subscriptions.lifecycle import UNPAID, SubscriptionStatus
from marketplace.payments.subscriptions.models import Subscription
from marketplace.payments.subscriptions.provider_sync import END_LATER


class HasPlan(Conflict):
    """409: the person has this plan already."""

    code = "has_plan"
    sentence = "You have this plan already."


class UnderWay(Conflict):
    """409: a request about the subscription is still open at the provider."""

    code = "under_way"
    sentence = "The payment provider has not answered yet. Look again in a moment."


def subscribe(
    user: User,
    *,
    plan: str,
    provider: str | None = None,
    payment_method: str | None = None,
    price: Decimal | None = None,
    currency: str | None = None,
) -> Subscription:
    """Begin this plan, change to it, or try again to pay for it; `price` is checked where it is named. Raises HasPlan,
    UnderWay, PriceChanged (409), Invalid (422)."""
    chosen = _find(plan)
    mine = queries.living(user.id)
    paid_in = chosen.currency_for(user.currency) if mine is None or mine.status in UNPAID else mine.currency
    demand_price(price, chosen.amount.get(paid_in), paid_in, in_currency=currency)
    if mine is None:
        return _begin(user, chosen, provider, payment_method)
    if queries.is_being_asked(mine.id):
        raise UnderWay()
    if mine.status in UNPAID:
        return _begin_again(user, mine, chosen, provider, payment_method)
    return _change(mine, chosen)


def stop(user: User, *, at_once: bool = False) -> Subscription:
    """Cancel at the end of the paid period, or `at_once`; nothing is refunded. Raises NotFound."""
    mine = queries.living(user.id)
    if mine is None:
        raise NotFound.of("subscription")
    return _stop(mine, at_once=at_once)


def stop_of(user_id: int, *, at_once: bool) -> None:
    """Cancel for an account that was closed; no effect without a subscription."""
    mine = queries.living(user_id)
    if mine is not None:
        _stop(mine, at_once=at_once)


def end_overdue(subscription_id: int) -> None:
    """End it after its grace period, or unpaid."""
    mine = locked_row(Subscription, subscription_id)
    if mine.status in {SubscriptionStatus.PAST_DUE, SubscriptionStatus.INCOMPLETE}:
        _stop(mine, at_once=True)


def _find(key: str) -> plans.Plan:
    names = {plan.key: plan for plan in plans.offered()}
    if key not in names:
        raise Invalid.field("plan", f"One of: {', '.join(names)}." if names else "There are no plans here.")
    return names[key]


def _begin(user: User, plan: plans.Plan, provider_name: str | None, method: str | None) -> Subscription:
    name = provider_name or default_provider()
    provider(name)
    currency = plan.currency_for(user.currency)
    mine = save(
        Subscription(
            key=secrets.token_hex(16),
            user_id=user.id,
            active_reference=user.id,
            plan_key=plan.key,
            provider=name,
            customer_id=queries.customer_of(user.id, name),
            currency=currency,
            amount_minor=plan.amount[currency],
        )
    )
    provider_requests_queue.ask("subscribe", "subscription", mine.id, key=mine.key, method=method)
    return mine


def _begin_again(
    user: User, mine: Subscription, plan: plans.Plan, provider_name: str | None, method: str | None
) -> Subscription:
    """End a subscription that was never paid, where another plan, card or provider is wanted."""
    same = plan.key == mine.plan_key and provider_name in {None, mine.provider}
    if same and method is None and mine.intended_outcome == "":
        return mine
    provider_sync.ask_to_end(mine)
    provider_sync.end(mine)
    return _begin(user, plan, provider_name, method)


def _change(mine: Subscription, plan: plans.Plan) -> Subscription:
    if plan.key in {mine.plan_key, mine.wanted_plan}:
        raise HasPlan()
    if mine.intended_outcome or mine.status != SubscriptionStatus.ACTIVE:
        raise Conflict("Only a plan that is paid for and goes on can be changed. Begin the other one after its end.")
    if mine.currency not in plan.amount:
        raise Invalid.field("plan", f"This plan has no price in {mine.currency}, which yours is paid in.")
    mine.wanted_plan, mine.failure = plan.key, ""
    db.session.flush()
    provider_requests_queue.ask("change_plan", "subscription", mine.id, key=f"change-{secrets.token_hex(16)}")
    return mine


def _stop(mine: Subscription, *, at_once: bool) -> Subscription:
    if at_once or mine.status != SubscriptionStatus.ACTIVE:
        provider_sync.ask_to_end(mine)
    elif not mine.intended_outcome:
        mine.intended_outcome, mine.cancel_at_period_end = END_LATER, True
        provider_requests_queue.ask("end_subscription", "subscription", mine.id, key=f"end-later-{mine.key}")
    db.session.flush()
    return mine
