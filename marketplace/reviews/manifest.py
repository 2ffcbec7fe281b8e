"""Reviews: what the two sides of a deal say of each other."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import reviews
from marketplace.reviews import jobs, routes
from marketplace.reviews.invariants import INVARIANTS

REVIEWS = Manifest(
    name="reviews",
    floor=8,
    blueprints=(routes.profile_bp, routes.bp),
    events=(reviews,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
)
