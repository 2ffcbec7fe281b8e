"""What people are told of, and by which channels."""

from pathlib import Path

from marketplace.core.manifest import Lane, Manifest
from marketplace.notifications import (
    delivering,
    dispute_subscribers,
    jobs,
    payment_subscribers,
    push_routes,
    routes,
    service,
    subscribers,
)
from marketplace.notifications.invariants import INVARIANTS

NOTIFICATIONS = Manifest(
    name="notifications",
    floor=9,
    blueprints=(routes.bp, push_routes.bp),
    subscribers=(subscribers, payment_subscribers, dispute_subscribers),
    jobs=(jobs,),
    background=((Lane.JOBS, delivering.deliver_due),),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(service.forget_digests_of,),
)
