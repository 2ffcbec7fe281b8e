"""Periodic and delayed jobs of accounts."""

from datetime import timedelta

from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.phone import service as phone_service
from marketplace.auth.second_factor import challenges
from marketplace.auth.sign_in_risk import service as sign_in_risk_service
from marketplace.core.database.db import in_transaction
from marketplace.core.queues.jobs import Run, job


@job("forget_codes", timeout=300, every=timedelta(hours=1))
def forget_codes(run: Run) -> None:
    """Delete SMS codes after two days and sign-in challenges after one."""
    in_transaction(phone_service.sweep)
    in_transaction(challenges.sweep)


@job("close_again", timeout=30)
def close_again(run: Run, user_id: int, version: int) -> None:
    """Announce the suspension again, so that the trades take down what a running request put up meanwhile."""
    in_transaction(lambda: account_admin_service.tell_suspended(user_id, version))


@job("forget_signals", timeout=300, every=timedelta(hours=6))
def forget_signals(run: Run) -> None:
    """Delete security signals older than half a year."""
    in_transaction(sign_in_risk_service.sweep)
