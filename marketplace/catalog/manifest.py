"""The category tree."""

from pathlib import Path

from marketplace.catalog import routes
from marketplace.core.manifest import Manifest

CATALOG = Manifest(
    name="catalog",
    floor=2,
    blueprints=(routes.bp,),
    personal=Path(__file__).with_name("personal.toml"),
)
