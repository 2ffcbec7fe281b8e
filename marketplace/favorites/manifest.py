"""Favorites: marks on things of other slices."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.favorites import routes, subscribers

FAVORITES = Manifest(
    name="favorites",
    floor=8,
    blueprints=(routes.bp,),
    setup=(routes.init_app,),
    subscribers=(subscribers,),
    personal=Path(__file__).with_name("personal.toml"),
)
