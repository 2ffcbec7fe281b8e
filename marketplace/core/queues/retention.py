"""What core itself has to forget from time to time."""

from datetime import timedelta

from marketplace.core.http import idempotency
from marketplace.core.queues import jobs, outbox
from marketplace.core.queues.jobs import Run, job


@job("forget_told_facts", timeout=300, every=timedelta(hours=1))
def forget_told_facts(run: Run) -> None:
    """Delete delivered outbox rows after thirty days."""
    outbox.sweep()


@job("forget_finished_jobs", timeout=300, every=timedelta(hours=1))
def forget_finished_jobs(run: Run) -> None:
    """Delete finished jobs after two weeks."""
    jobs.sweep()


@job("forget_idempotency_keys", timeout=300, every=timedelta(hours=1))
def forget_idempotency_keys(run: Run) -> None:
    """Delete stored answers of writes after two days."""
    idempotency.sweep()
