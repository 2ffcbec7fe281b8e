"""Reports: what people tell staff of, and what becomes of it."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import reports as events_reports
from marketplace.reports import routes
from marketplace.reports.admin import routes as reports_admin_routes
from marketplace.reports.models import Report

REPORTS = Manifest(
    name="reports",
    floor=8,
    blueprints=(routes.bp, reports_admin_routes.bp),
    events=(events_reports,),
    stateful=(Report,),
    personal=Path(__file__).with_name("personal.toml"),
)
