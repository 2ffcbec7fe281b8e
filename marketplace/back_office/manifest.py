"""The queues and the figures of all slices; what staff do to one thing is in its slice, under `admin`."""

from marketplace.back_office import routes
from marketplace.back_office.overview import routes as overview_routes
from marketplace.core.manifest import Manifest

BACK_OFFICE = Manifest(name="back_office", floor=11, blueprints=(routes.bp, overview_routes.bp))
