"""What must hold in core's own tables and in what it keeps for the slices; checks of `flask audit`."""

from collections.abc import Iterator
from datetime import timedelta

from marketplace.core.database import encryption
from marketplace.core.database.db import db, fetch
from marketplace.core.lists import full_text
from marketplace.core.queues.work_queue import QUEUES
from marketplace.kit.clock import now

STUCK_AFTER = timedelta(minutes=20)  # longer than any lease and the pause after it


def stuck_rows() -> Iterator[str]:
    """Nothing waits far beyond its time where somebody works."""
    for queue in QUEUES.values():
        rows = queue.table.c
        late = queue.table.select().where(rows.done_at.is_(None), rows.dead_at.is_(None))
        for row in fetch(late.where(rows.due_at < now() - STUCK_AFTER).limit(20)):
            yield f"{queue.name} {row.id}: should have been worked on long ago"


def outdated_words() -> Iterator[str]:
    """What a search looks through was written by this version."""
    for name in full_text.outdated():
        yield f"{name}: old rows are indexed as an earlier version did it; run flask reindex"


def unreadable_secrets() -> list[str]:
    """What is encrypted can be read with the keys of this process."""
    return encryption.told(encryption.unreadable(db.session.connection()))
