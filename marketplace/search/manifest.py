"""Search over all kinds of things, and saved searches."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import search
from marketplace.search import jobs, routes, subscribers
from marketplace.search.saved_searches import routes as saved_searches_routes

SEARCH = Manifest(
    name="search",
    floor=8,
    blueprints=(routes.bp, saved_searches_routes.bp),
    events=(search,),
    subscribers=(subscribers,),
    jobs=(jobs,),
    personal=Path(__file__).with_name("personal.toml"),
)
