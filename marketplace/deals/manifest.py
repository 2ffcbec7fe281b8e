"""Deals: what two people agreed on, the same for every trade."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.deals import jobs, queries, routes, service
from marketplace.deals.invariants import INVARIANTS
from marketplace.events import deals as events_deals

DEALS = Manifest(
    name="deals",
    floor=4,
    blueprints=(routes.bp,),
    events=(events_deals,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    waits_for=(queries.has_running,),
    erase=(service.forget_titles_of,),
)
