"""Announcements: what the marketplace tells everybody, or some."""

from pathlib import Path

from marketplace.announcements import jobs, routes
from marketplace.announcements.admin import routes as announcements_admin_routes
from marketplace.core.manifest import Manifest

ANNOUNCEMENTS = Manifest(
    name="announcements",
    floor=10,
    blueprints=(routes.bp, announcements_admin_routes.bp),
    jobs=(jobs,),
    personal=Path(__file__).with_name("personal.toml"),
)
