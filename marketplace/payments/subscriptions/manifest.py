"""Subscriptions: plans paid for again and again."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import subscriptions as events_subscriptions
from marketplace.payments.subscriptions import jobs, plans, provider_requests, routes, subscribers
from marketplace.payments.subscriptions.invariants import INVARIANTS
from marketplace.payments.subscriptions.models import Subscription

SUBSCRIPTIONS = Manifest(
    name="subscriptions",
    floor=4,
    blueprints=(routes.plans_bp, routes.bp),
    events=(events_subscriptions,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    provider_requests=(provider_requests,),
    stateful=(Subscription,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={"PLANS_FILE": plans.all_plans},
)
