"""Notifications: what people are told, and by which channels."""

from pathlib import Path

from marketplace.core.manifest import Lane, Manifest
from marketplace.notifications import jobs, routes, service
from marketplace.notifications.deliveries import service as deliveries_service
from marketplace.notifications.invariants import INVARIANTS
from marketplace.notifications.push import routes as push_routes
from marketplace.notifications.subscribers import disputes as subscribers_disputes
from marketplace.notifications.subscribers import general
from marketplace.notifications.subscribers import payments as subscribers_payments

NOTIFICATIONS = Manifest(
    name="notifications",
    floor=9,
    blueprints=(routes.bp, push_routes.bp),
    subscribers=(general, subscribers_payments, subscribers_disputes),
    jobs=(jobs,),
    background=((Lane.JOBS, deliveries_service.deliver_due),),
    invariants=INVARIANTS,
    personal=Path(__file__).with_name("personal.toml"),
    erase=(service.forget_digests_of,),
)
