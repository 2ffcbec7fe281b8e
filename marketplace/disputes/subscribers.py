"""Disputes listen to deals; safe to repeat."""

from marketplace.core.queues.outbox import subscribe
from marketplace.disputes import service
from marketplace.events.deals import DealDisputed


@subscribe(DealDisputed)
def open_file(event: DealDisputed) -> None:
    """Open the dispute of a deal that was disputed at the trade itself; there may be one."""
    service.open_missing(event.deal_id)
