"""Privacy: export of one's data, and erasure."""

from marketplace.core.manifest import Manifest
from marketplace.events import privacy
from marketplace.privacy import jobs, routes

PRIVACY = Manifest(
    name="privacy",
    floor=10,
    blueprints=(routes.bp,),
    events=(privacy,),
    jobs=(jobs,),
)
