"""Periodic jobs of deals."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job, one_by_one
from marketplace.deals import queries, service


@job("confirm_deals", timeout=300, every=timedelta(minutes=1))
def confirm_deals(run: Run) -> None:
    """Confirm delivered work that its client has neither confirmed nor disputed in the time of its kind of deal."""
    one_by_one(queries.UNCONFIRMED.ids, service.confirm_unanswered)
