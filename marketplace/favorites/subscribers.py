"""What favorites do when a thing is gone; safe to repeat."""

from marketplace.core.outbox import subscribe
from marketplace.events.listings import ListingDeleted
from marketplace.events.offerings import OfferingDeleted
from marketplace.events.tasks import TaskDeleted
from marketplace.favorites import service


@subscribe(ListingDeleted)
def forget_listing(event: ListingDeleted) -> None:
    """Nobody keeps an eye on a deleted listing."""
    service.forget_item("listing", event.listing_id)


@subscribe(OfferingDeleted)
def forget_offering(event: OfferingDeleted) -> None:
    """Nobody keeps an eye on a deleted offering."""
    service.forget_item("offering", event.offering_id)


@subscribe(TaskDeleted)
def forget_task(event: TaskDeleted) -> None:
    """Nobody keeps an eye on a deleted task."""
    service.forget_item("task", event.task_id)
