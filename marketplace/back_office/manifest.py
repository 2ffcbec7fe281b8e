"""The queues of all slices, for operators; what staff do to one thing is in its slice, under `admin`."""

from marketplace.back_office import routes
from marketplace.core.manifest import Manifest

BACK_OFFICE = Manifest(name="back_office", floor=11, blueprints=(routes.bp,))
