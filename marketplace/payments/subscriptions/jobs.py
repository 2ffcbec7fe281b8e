"""What the clock does to subscriptions."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job
from marketplace.payments.subscriptions import reconciliation


@job("ask_about_subscriptions", timeout=300, every=timedelta(minutes=1))
def ask_about_subscriptions(run: Run) -> None:
    """Those without an end for a minute, and those whose period is over."""
    reconciliation.ask_about_open()


@job("end_overdue_subscriptions", timeout=300, every=timedelta(minutes=10))
def end_overdue_subscriptions(run: Run) -> None:
    """Those whose grace is over."""
    reconciliation.end_overdue()
