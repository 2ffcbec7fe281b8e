"""Disagreements about a task, and how they end."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.disputes import jobs, routes, subscribers
from marketplace.disputes.admin import routes as disputes_admin_routes
from marketplace.disputes.invariants import INVARIANTS
from marketplace.disputes.models import Dispute, Offer
from marketplace.events import disputes as events_disputes

DISPUTES = Manifest(
    name="disputes",
    floor=6,
    blueprints=(routes.bp, disputes_admin_routes.bp),
    events=(events_disputes,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    stateful=(Dispute, Offer),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
)
