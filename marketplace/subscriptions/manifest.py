"""Plans that are paid for again and again."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import subscriptions as events
from marketplace.subscriptions import calling, jobs, plans, routes, subscribers
from marketplace.subscriptions.invariants import INVARIANTS
from marketplace.subscriptions.models import Subscription

SUBSCRIPTIONS = Manifest(
    name="subscriptions",
    floor=4,
    blueprints=(routes.plans_bp, routes.bp),
    events=(events,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    provider_requests=(calling,),
    stateful=(Subscription,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={"PLANS_FILE": plans.all_plans},
)
