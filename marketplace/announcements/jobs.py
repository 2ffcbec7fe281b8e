"""Notify people of announcements that have come into force."""

from datetime import timedelta
from functools import partial

from marketplace.announcements import queries, service
from marketplace.core.database.db import in_transaction
from marketplace.core.queues.jobs import Run, job

AT_ONCE = 200  # people in one transaction


@job("tell_of_announcements", timeout=600, every=timedelta(minutes=1))
def tell_of_announcements(run: Run) -> None:
    """Notify whom announcements in force are for, each once; a killed run goes on where it was."""
    for announcement_id in queries.untold():
        while in_transaction(partial(service.tell_some, announcement_id, AT_ONCE)):
            pass
