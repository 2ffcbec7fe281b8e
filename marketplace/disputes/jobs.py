"""Periodic jobs of disputes."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job, one_by_one
from marketplace.disputes import queries, service
from marketplace.disputes.settlement import service as settlement_service


@job("advance_disputes", timeout=300, every=timedelta(minutes=1))
def advance_disputes(run: Run) -> None:
    """Disputes whose other side did not answer in time, decisions nobody appealed, and disputed deals without a
    dispute."""
    one_by_one(queries.UNANSWERED.ids, service.lapse)
    one_by_one(queries.UNAPPEALED.ids, settlement_service.finish)
    one_by_one(queries.deals_without_file, service.open_missing)
