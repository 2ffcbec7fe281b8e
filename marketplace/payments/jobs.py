"""Periodic jobs of payments."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

from marketplace.core.database.db import in_transaction
from marketplace.core.ops import current_settings
from marketplace.core.queues.jobs import Run, job
from marketplace.kit.clock import now
from marketplace.kit.errors import Problem
from marketplace.payments.chargebacks import queries as chargebacks_queries
from marketplace.payments.chargebacks import service as chargebacks_service
from marketplace.payments.payouts import service as payouts_service
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service

AT_ONCE = 200


@job("ask_about_payments", timeout=300, every=timedelta(minutes=1))
def ask_about_payments(run: Run) -> None:
    """Ask the provider about open payments, refunds and payouts."""
    reconciliation_service.ask_about_open()


@job("prove_ledger", timeout=600, every=timedelta(hours=1))
def prove_ledger(run: Run) -> None:
    """Check the ledger against itself; a finding freezes payouts until it is gone."""
    found = reconciliation_service.prove()
    in_transaction(lambda: reconciliation_service.keep(found, ("ledger",)))


@job("compare_books", timeout=1800, every=timedelta(days=1))
def compare_books(run: Run) -> None:
    """Compare the ledger with each provider's settlement report: the last days, and as far back as discrepancies are
    open."""
    until = now() - reconciliation_service.SETTLED
    found = [
        *reconciliation_service.compare(reconciliation_service.look_back_to(until), until),
        *reconciliation_service.orphans(),
    ]
    in_transaction(lambda: reconciliation_service.keep(found, ("provider",)))


@job("pay_out_by_calendar", timeout=1800, every=timedelta(hours=1))
def pay_out_by_calendar(run: Run) -> None:
    """Request payouts of whole wallets, on the day that PAYOUT_SCHEDULE names."""
    if not payouts_service.is_the_day(current_settings.text("PAYOUT_SCHEDULE")):
        return
    last = 0
    while due := payouts_service.due(AT_ONCE, last):
        for wallet in due:
            with suppress(Problem):  # somebody was faster with their own wallet; the others are paid all the same
                in_transaction(partial(payouts_service.send_all_of, wallet.owner_id, wallet.currency, wallet.provider))
        last = due[-1].id


@job("remind_of_evidence", timeout=300, every=timedelta(hours=1))
def remind_of_evidence(run: Run) -> None:
    """Tell staff of chargebacks whose time to answer ends within three days."""
    for chargeback_id in chargebacks_queries.unanswered(chargebacks_service.REMIND_BEFORE, AT_ONCE):
        in_transaction(partial(chargebacks_service.remind, chargeback_id))


@job("forget_webhooks", timeout=300, every=timedelta(days=1))
def forget_webhooks(run: Run) -> None:
    """Delete webhooks that were handled ninety days ago."""
    in_transaction(webhooks_service.sweep)
