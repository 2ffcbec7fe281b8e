"""Conversations, rooms, and whom one blocks."""

from pathlib import Path

from marketplace.core.manifest import Manifest
from marketplace.events import messaging as events
from marketplace.messaging import room_routes, rooms, routes, sockets
from marketplace.messaging.invariants import INVARIANTS

MESSAGING = Manifest(
    name="messaging",
    floor=7,
    blueprints=(routes.contact_bp, routes.bp, room_routes.bp, room_routes.blocks_bp),
    sockets=(sockets.register,),
    events=(events,),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(rooms.take_down_of,),
)
