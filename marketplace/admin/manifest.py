"""What staff see and do."""

from marketplace.admin import dispute_routes, money_routes, people_routes, routes, verification_routes
from marketplace.core.manifest import Manifest

ADMIN = Manifest(
    name="admin",
    floor=10,
    blueprints=(routes.bp, people_routes.bp, verification_routes.bp, money_routes.bp, dispute_routes.bp),
)
