"""Verification: the badge, and the documents it is given for."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import verification
from marketplace.verification import routes, service
from marketplace.verification.admin import routes as verification_admin_routes
from marketplace.verification.invariants import INVARIANTS
from marketplace.verification.models import Verification

VERIFICATION = Manifest(
    name="verification",
    floor=5,
    blueprints=(routes.bp, verification_admin_routes.bp),
    events=(verification,),
    stateful=(Verification,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(service.take_down_of,),
)
