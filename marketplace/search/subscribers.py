"""Each thing that is put up is compared with the saved searches by a job: they may be many."""

from marketplace.core.jobs import enqueue
from marketplace.core.outbox import subscribe
from marketplace.events.listings import ListingPosted
from marketplace.events.offerings import OfferingPosted
from marketplace.events.tasks import TaskPosted


@subscribe(ListingPosted)
def look_at_listing(event: ListingPosted) -> None:
    """A new classified."""
    _compare("listing", event.listing_id)


@subscribe(TaskPosted)
def look_at_task(event: TaskPosted) -> None:
    """A new task."""
    _compare("task", event.task_id)


@subscribe(OfferingPosted)
def look_at_offering(event: OfferingPosted) -> None:
    """A new offering."""
    _compare("offering", event.offering_id)


def _compare(kind: str, thing_id: int) -> None:
    enqueue("match_searches", key=f"match_searches:{kind}:{thing_id}", kind=kind, thing_id=thing_id)
