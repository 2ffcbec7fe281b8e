"""Conversations, rooms and blocks."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import messaging
from marketplace.messaging import routes, sockets
from marketplace.messaging.invariants import INVARIANTS, lost_subjects
from marketplace.messaging.rooms import routes as rooms_routes
from marketplace.messaging.rooms import service as rooms_service

MESSAGING = Manifest(
    name="messaging",
    floor=7,
    blueprints=(routes.contact_bp, routes.bp, rooms_routes.bp, rooms_routes.blocks_bp),
    sockets=(sockets.register,),
    events=(messaging,),
    invariants=INVARIANTS,
    checks=(lost_subjects,),
    personal=Path(__file__).with_name("personal.toml"),
    erase=(rooms_service.take_down_of,),
)
