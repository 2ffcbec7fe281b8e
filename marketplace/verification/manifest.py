"""The verified badge, and the documents it is given for."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import verification as events
from marketplace.verification import routes, service
from marketplace.verification.invariants import INVARIANTS
from marketplace.verification.models import Verification

VERIFICATION = Manifest(
    name="verification",
    floor=5,
    blueprints=(routes.bp,),
    events=(events,),
    stateful=(Verification,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(service.take_down_of,),
)
