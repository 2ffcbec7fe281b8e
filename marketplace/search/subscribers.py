"""Queue the matching of each new thing with saved searches, which may be many."""

from marketplace.core.manifest import subjects
from marketplace.core.queues.jobs import enqueue
from marketplace.core.queues.outbox import subscribe_to_subjects
from marketplace.events.base import Event
from marketplace.search.policy import awaited


@subscribe_to_subjects("posted")
def look_at_thing(event: Event) -> None:
    """Queue one job per thing; a second time it is the same job."""
    for kind in awaited():
        if subjects()[kind].posted is type(event):
            thing_id = subjects()[kind].id_in(event)
            enqueue("match_searches", key=f"match_searches:{kind}:{thing_id}", kind=kind, thing_id=thing_id)
