"""Periodic jobs of subscriptions."""

from datetime import timedelta

from marketplace.core.queues.jobs import Run, job
from marketplace.payments.subscriptions import reconciliation


@job("ask_about_subscriptions", timeout=300, every=timedelta(minutes=1))
def ask_about_subscriptions(run: Run) -> None:
    """Poll the provider about subscriptions open for a minute, or over their period."""
    reconciliation.ask_about_open()


@job("end_overdue_subscriptions", timeout=300, every=timedelta(minutes=10))
def end_overdue_subscriptions(run: Run) -> None:
    """End subscriptions whose grace period is over."""
    reconciliation.end_overdue()
