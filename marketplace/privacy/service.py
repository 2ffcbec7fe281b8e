"""Ask for an export, close the account."""

from datetime import timedelta

from marketplace.auth.account_admin import service as account_admin_service
from marketplace.auth.account_admin.service import LATE_WRITES
from marketplace.auth.models import User
from marketplace.auth.service import WrongPassword, knows_password, locked_user
from marketplace.core.database.db import in_transaction
from marketplace.core.manifest import slices
from marketplace.core.ops import audit_log
from marketplace.core.queues import jobs as queues_jobs
from marketplace.core.queues.jobs import enqueue
from marketplace.kit.clock import now
from marketplace.kit.errors import Conflict, NotFound
from marketplace.kit.json_types import JsonObject
from marketplace.payments import queries as payments_queries
from marketplace.uploads import queries as uploads_queries
from marketplace.uploads.addresses import NAME, url_of

EXPORT = "export_account"
NOW = timedelta(0)


class StillNeeded(Conflict):
    """409: the person is in a deal that is not over."""

    code = "still_needed"
    sentence = "You have work that is not over: finish or cancel it first, and then erase your account."


class MoneyLeft(Conflict):
    """409: the person has a balance, a debt, or money on its way."""

    code = "money_left"
    sentence = "There is money of yours here, or on its way: have it paid out (or a debt levelled) first."


def ask_for_export(user: User) -> int:
    """Queue the export, at most one a day; returns the job's id."""
    job_id = enqueue(EXPORT, owner_id=user.id, key=f"{EXPORT}:{user.id}:{now().date()}", user_id=user.id)
    audit_log.record("export.asked", "user", user.id, job_id=job_id)
    return job_id


def export_of(user: User, job_id: int) -> JsonObject:
    """The export's progress, and its URL for a quarter of an hour once it is done; raises NotFound."""
    row = queues_jobs.find_for(user.id, job_id)
    if row is None or row.name != EXPORT:
        raise NotFound.of("export")
    return {**queues_jobs.view(row), "result_url": _readable(row.result_url)}


def erase(user: User, password: str) -> None:
    """Close one's account and queue the erasure of the rest, twice: the second after every running request has ended.
    Raises WrongPassword (403), StillNeeded, MoneyLeft (409)."""
    user_id, password_hash = user.id, user.password_hash
    if not knows_password(user_id, password_hash, password):
        raise WrongPassword()
    in_transaction(lambda: close(locked_user(user_id)))


def close(user: User, *, even_if_needed: bool = False) -> None:
    """Erase the account itself and queue the erasure of the rest; raises StillNeeded, MoneyLeft (409)."""
    if not even_if_needed and any(waits(user.id) for one in slices() for waits in one.waits_for):
        raise StillNeeded()
    if not even_if_needed and payments_queries.has_money(user.id):
        raise MoneyLeft()
    account_admin_service.erase(user)
    for turn, delay in (("now", NOW), ("again", LATE_WRITES)):
        enqueue("erase_account", key=f"erase_account:{user.id}:{turn}", delay=delay, user_id=user.id)


def _readable(link: str | None) -> str | None:
    """The file's URL, signed anew; None where it was deleted."""
    parts = NAME.fullmatch((link or "").rpartition("/")[2])
    found = uploads_queries.by_stems([parts["stem"]]) if parts else []
    return url_of(found[0]) if found else None
