"""One search over everything, and the searches people save."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import search as events
from marketplace.search import jobs, routes, saved_routes, subscribers

SEARCH = Manifest(
    name="search",
    floor=8,
    blueprints=(routes.bp, saved_routes.bp),
    events=(events,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    personal=Path(__file__).with_name("personal.toml"),
)
